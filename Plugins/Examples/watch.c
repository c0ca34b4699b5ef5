// watch KEY FILE: appends every record with the rule key KEY to FILE.
// plugins.d: path = /usr/local/libexec/watch, args = KEY FILE, format = string
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	char wanted[256], gap[64], *line = NULL;
	const char *first = getenv("AUDISPATCH_FIRST"), *word = getenv("AUDISPATCH_GAP");
	unsigned long long number = first ? strtoull(first, NULL, 10) : 0;
	size_t size = 0;
	FILE *out = argc == 3 ? fopen(argv[2], "a+") : NULL;
	if (!out) return 2;
	// What a full disk has cut off gets its newline, and comes again.
	int last = fseek(out, -1, SEEK_END) ? '\n' : fgetc(out);
	if (fseek(out, 0, SEEK_END) || (last != '\n' && fputc('\n', out) < 0)) return 1;
	for (int i = 0; i < 3; i++) // the end of input is the end
		signal((int[]){SIGHUP, SIGTERM, SIGPIPE}[i], SIG_IGN);
	snprintf(wanted, sizeof wanted, " key=\"%s\"", argv[1]);
	snprintf(gap, sizeof gap, " gap=%s\n", word ? word : "");
	while (getline(&line, &size, stdin) > 0) {
		if (!strchr(line, '\n')) break; // a dispatcher that died: it comes again, whole
		if (strstr(line, wanted) && (fputs(line, out) < 0 || fflush(out))) return 1;
		if (!number) continue;
		// Confirming, if the dispatcher asks for it: a gap record has no number.
		size_t length = strlen(line), end = strlen(gap);
		if (length < end || strcmp(line + length - end, gap))
			dprintf(0, "ok %llu\n", number++);
	}
	return 0;
}
