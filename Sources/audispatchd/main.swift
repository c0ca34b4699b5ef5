import Configuration
import AuditDispatch
import Glibc
import Linux

exit(start())
