import Journal
import Linux

/// Gives records the node's name from the moment on that a name server says it.
///
/// What was made into a record before keeps the name that it had. Where it is made again, after a death,
/// it may have the other one: nothing but its text depends on it.
final class LateNode: Owner {
  let base: Base
  private let custody: Custody
  private let remote: RemoteInput?
  private var lookup: Errand<NodeLookup.Answer>?

  /// - Parameter lookup: `nil`: the name is known. The kernel's reader has been given one, and keeps it.
  init(
    _ base: Base, _ custody: Custody, _ remote: RemoteInput?,
    _ lookup: Errand<NodeLookup.Answer>?
  ) throws(SystemError) {
    self.base = base
    self.custody = custody
    self.remote = remote
    self.lookup = lookup
    if let lookup { try loop.poller.watch(lookup.number, Token.node, .read) }
  }

  /// There is an answer.
  func hear() {
    guard let answer = lookup?.result, let number = lookup?.number else { return }
    loop.poller.remove(number)
    lookup = nil
    switch answer {
    case .success(let name): take(name)
    case .failure(let failure):
      loop.say(.warning, "\(failure): the node of records stays as it is until the next start")
    }
  }

  private func take(_ name: String?) {
    guard let name, name != settings.node else { return }
    settings.change(node: name)
    journal.change(node: name)
    plugins.change(node: name)
    remote?.peers.ownNode(is: name)
    custody.inForceHasChanged()
    loop.wakeAll()
    loop.say(.notice, "records are given node=\(name) from here on")
  }
}
