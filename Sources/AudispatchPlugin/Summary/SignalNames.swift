/// The names of signals by number, as x86 and ARM have them (asm-generic/signal.h).
public enum SignalNames {
  /// By number; `SIG0` stands for none.
  public static let all: [String] = """
    SIG0 SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU
    SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  /// The name, or `signal 38` for those of real time.
  static func text(_ number: Int32) -> String {
    all.indices.contains(Int(number)) ? all[Int(number)] : "signal \(number)"
  }
}
