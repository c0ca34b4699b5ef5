// A plugin for tests: confined FILE PATH...
// Writes to FILE who it is, what it is limited to, and what it may do with each PATH; then reads its
// input to the end.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *attempt(const char *path, int flags) {
	int fd = open(path, flags, 0600);
	if (fd < 0) return strerror(errno);
	close(fd);
	return "yes";
}

static void report_status(FILE *out) {
	static const char *const wanted[] = {"Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:"};
	char line[4096];
	FILE *status = fopen("/proc/self/status", "re");
	if (!status) {
		fprintf(out, "no status: %s\n", strerror(errno));
		return;
	}
	while (fgets(line, sizeof line, status))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i]))) fputs(line, out);
	fclose(status);
}

static void report_limit(FILE *out, const char *name, int resource) {
	struct rlimit limit;
	getrlimit(resource, &limit);
	fprintf(out, "limit %s %lld %lld\n", name, (long long)limit.rlim_cur, (long long)limit.rlim_max);
}

int main(int argc, char **argv) {
	umask(0);
	FILE *out = argc > 1 ? fopen(argv[1], "ae") : 0;
	if (!out) return 9;
	report_status(out);
	report_limit(out, "files", RLIMIT_NOFILE);
	report_limit(out, "processes", RLIMIT_NPROC);
	report_limit(out, "memory", RLIMIT_AS);
	report_limit(out, "core", RLIMIT_CORE);
	for (int i = 2; i < argc; i++) {
		struct stat facts;
		char probe[4096];
		fprintf(out, "read %s: %s\n", argv[i], attempt(argv[i], O_RDONLY));
		snprintf(probe, sizeof probe, "%s/probe", argv[i]);
		int is_folder = !stat(argv[i], &facts) && S_ISDIR(facts.st_mode);
		fprintf(out, "write %s: %s\n", argv[i],
			is_folder ? attempt(probe, O_WRONLY | O_CREAT) : attempt(argv[i], O_WRONLY));
	}
	fprintf(out, "signal parent: %s\n", kill(getppid(), 0) ? strerror(errno) : "yes");
	fprintf(out, "pid %d\ndone\n", getpid());
	fclose(out);
	char chunk[4096];
	while (read(0, chunk, sizeof chunk) > 0) {}
	return 0;
}
