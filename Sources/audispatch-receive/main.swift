import Glibc
import Linux

exit(Start.run(ProgramArguments.all))
