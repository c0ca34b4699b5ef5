#include <sys/types.h>
#include <auparse.h>
// Exported by libauparse, and in no header: forgets the account names that it has looked up.
extern void _auparse_flush_caches(void) __attribute__((weak));
static inline void auparse_forget_names(void) { if (_auparse_flush_caches) _auparse_flush_caches(); }
