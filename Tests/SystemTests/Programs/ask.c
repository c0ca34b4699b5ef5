// ask SOCKET [LINE]: sends a line, or nothing, and writes what is answered; exits with errno when it
// cannot connect.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char bytes[65536];
	ssize_t n;
	if (argc < 2 || strlen(argv[1]) >= sizeof address.sun_path) return 200;
	strcpy(address.sun_path, argv[1]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) return errno;
	if (argc > 2 && dprintf(fd, "%s\n", argv[2]) < 0) return 201;
	while ((n = read(fd, bytes, sizeof bytes)) > 0) fwrite(bytes, 1, (size_t)n, stdout);
	return n < 0 ? 202 : 0;
}
