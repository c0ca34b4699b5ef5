// The kernel's audit rules by netlink, as struct audit_rule_data of linux/audit.h.
// Every function returns -1 and sets errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

int fw_audit_open(void);	// needs CAP_AUDIT_CONTROL to be of use
// Adds or deletes a rule (AUDIT_ADD_RULE, AUDIT_DEL_RULE), and waits for the kernel's answer.
int fw_audit_change(int fd, uint16_t type, const void *rule, size_t size);
// Every rule, each behind its size in 4 bytes, in their order. How many bytes; ENOBUFS: there are
// more than fit.
ssize_t fw_audit_rules(int fd, void *bytes, size_t size);

#pragma clang assume_nonnull end
