// socketcat [-s] PATH: connects to a unix socket and writes what comes to standard
// output; with -s it reads nothing. Ends with the socket.
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char buffer[64 << 10];
	int stuck = argc == 3 && !strcmp(argv[1], "-s");
	if (argc != 2 + stuck || strlen(argv[argc - 1]) >= sizeof address.sun_path) return 2;
	strcpy(address.sun_path, argv[argc - 1]);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (struct sockaddr *)&address, sizeof address)) return perror(argv[0]), 1;
	while (stuck) pause();
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
		if (write(1, buffer, (size_t)n) != n) return 1;
	return 0;
}
