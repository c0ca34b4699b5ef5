import AudispatchPlugin

/// Which system call an event was, also where another one stands for it: `socketcall` of i386, or
/// what io_uring was asked to do.
enum EffectiveCall {
  static func name(_ facts: EventFacts) -> ArraySlice<UInt8>? {
    guard let call = facts.data.value("syscall", facts.text) else { return uringCall(facts) }
    return socketCall(call, facts) ?? facts.text[call]
  }

  /// The line of the call that another one stands for.
  static func line(_ facts: EventFacts) -> Normalization? {
    let name =
      facts.data.value("syscall", facts.text).map { socketCall($0, facts) } ?? uringCall(facts)
    return name.flatMap { NormalizationTable.complete.call(Array($0)) }
  }

  private static func socketCall(_ call: Text, _ facts: EventFacts) -> ArraySlice<UInt8>? {
    guard facts.text.has(call, "socketcall"), let digits = facts.data.value("a0", facts.text),
      let number = facts.text.unsigned(digits, base: 16), number < UInt64(socketCalls.count)
    else { return nil }
    return socketCalls[Int(number)][...]
  }

  private static func uringCall(_ facts: EventFacts) -> ArraySlice<UInt8>? {
    guard let digits = facts.data.value("uring_op", facts.text),
      let number = facts.text.unsigned(digits, base: 10), number < UInt64(operations.count)
    else { return nil }
    return operations[Int(number)][...]
  }

  private static let operations = UringOperation.names.map { Array($0.utf8) }

  /// By the numbers of `include/uapi/linux/net.h`.
  private static let socketCalls = """
    socketcall socket bind connect listen accept getsockname getpeername socketpair send recv sendto
    recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg
    """.split(whereSeparator: \.isWhitespace).map { Array($0.utf8) }
}
