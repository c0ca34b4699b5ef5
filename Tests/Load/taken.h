// What a program and all processes under it take.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The processes under the program, the program first; sinks left out.
static struct { int pid; double cpu; long resident, peak; } seen[64];
static int seen_count;

static void look_at(int pid) {
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f) return;
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	char *name_end = strrchr(text, ')');
	unsigned long user, system;
	if (!name_end || strstr(text, "(sink)")) return;
	if (sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
			&system) != 2)
		return;
	int i = 0;
	while (i < seen_count && seen[i].pid != pid) i++;
	if (i == 64) return;
	if (i == seen_count) seen[seen_count++].pid = pid;
	seen[i].cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	seen[i].resident = 0;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	if (!(f = fopen(path, "r"))) return;
	while (fgets(text, sizeof text, f)) {
		sscanf(text, "VmHWM: %ld", &seen[i].peak);
		sscanf(text, "VmRSS: %ld", &seen[i].resident);
	}
	fclose(f);
}

static void look_under(int pid) {
	char path[64];
	int child;
	look_at(pid);
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	FILE *f = fopen(path, "r");
	if (!f) return;
	while (fscanf(f, "%d", &child) == 1) look_under(child);
	fclose(f);
}

static long resident_kib(int pid) {
	long sum = 0;
	look_under(pid);
	for (int i = 0; i < seen_count; i++) sum += seen[i].resident;
	return sum;
}

// Of those that were seen: what they share with each other, and nobody else has, counts once.
static long proportional_kib(void) {
	long sum = 0;
	char path[64], text[256];
	for (int i = 0; i < seen_count; i++) {
		long one = 0;
		snprintf(path, sizeof path, "/proc/%d/smaps_rollup", seen[i].pid);
		FILE *f = fopen(path, "r");
		if (!f) continue;
		while (fgets(text, sizeof text, f))
			if (sscanf(text, "Pss: %ld", &one) == 1) break;
		fclose(f);
		sum += one;
	}
	return sum;
}
