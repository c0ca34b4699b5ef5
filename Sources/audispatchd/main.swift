import Configuration
import Dispatch
import Glibc
import Linux

exit(start())
