// terminal PROGRAM ARGUMENT...: executes it with a terminal as standard error that nobody reads.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	if (argc < 2 || terminal < 0 || grantpt(terminal) || unlockpt(terminal)) return 9;
	int error = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	pid_t parent = getpid();
	pid_t holder = fork();
	if (holder == 0) {
		// Without it the terminal would be gone.
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(0), close(1), close(2), close(error);
		while (getppid() == parent) pause();
		return 0;
	}
	if (error < 0 || holder < 0 || dup2(error, 2) < 0) return 9;
	close(error), close(terminal);
	execv(argv[1], argv + 1);
	return 9;
}
