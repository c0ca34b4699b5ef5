import Glibc

exit(Start.run(CommandLine.arguments))
