// A name service that does not answer for as long as the file HANG exists, and then knows nobody.
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <unistd.h>

static enum nss_status answer(int *error) {
	while (access(HANG, F_OK) == 0) usleep(10000);
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_hang_getpwuid_r(uid_t id, struct passwd *result, char *buffer, size_t size, int *error) {
	(void)id, (void)result, (void)buffer, (void)size;
	return answer(error);
}

enum nss_status _nss_hang_getgrgid_r(gid_t id, struct group *result, char *buffer, size_t size, int *error) {
	(void)id, (void)result, (void)buffer, (void)size;
	return answer(error);
}
