import Linux

/// What the dispatcher says in the environment. auditd says nothing there.
public struct PluginEnvironment: Sendable {
  /// The name by which a dispatcher of ours knows this process; `nil`: none has started it.
  public static var name: String? { variable("AUDISPATCH_PLUGIN") }
  /// Whether a dispatcher of ours has started this process. It keeps what a plugin does not take, for
  /// that plugin alone; auditd does not.
  public static var isPlugin: Bool { name != nil }

  /// Whose records this process is given.
  public enum Hosts: String, Sendable {
    /// This host's alone.
    case own
    /// Other hosts' too, and those have `peer=` where they could be taken for this host's.
    case marked
    /// Other hosts' too, and only what they name tells them apart.
    case mixed
  }

  /// `AUDISPATCH_HOSTS`: whose records this process is given. Where no other host sends any, or nobody
  /// says so, they are this host's.
  public static let hosts = variable("AUDISPATCH_HOSTS").flatMap(Hosts.init) ?? .own

  /// `AUDISPATCH_FIRST`: the number of the first record; `nil` when confirming is not asked for.
  var first: UInt64?
  /// `AUDISPATCH_PLUGIN`: the plugin's name, as in gap records.
  var plugin: String?
  /// `AUDISPATCH_GAP`: how gap records end, so that they are known from others that look like them.
  var gap: String?

  init(first: UInt64? = nil, plugin: String? = nil, gap: String? = nil) {
    self.first = first
    self.plugin = plugin
    self.gap = gap
  }

  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// - Parameter input: confirming needs a socket there.
  init(_ variable: (String) -> String?, input: Int32) throws(Refusal) {
    plugin = variable("AUDISPATCH_PLUGIN")
    gap = variable("AUDISPATCH_GAP")
    guard let text = variable("AUDISPATCH_FIRST") else { return }
    guard let first = UInt64(text), first > 0, first < 1 << 62 else {
      throw Refusal(description: "AUDISPATCH_FIRST is no number of a record: nothing is confirmed")
    }
    guard DescriptorKind.isSocket(input) else {
      throw Refusal(description: "the input is no socket: nothing can be confirmed")
    }
    self.first = first
  }

  /// Whether a dispatcher feeds this process: it gives what is not done again, or may not be made to
  /// wait, and ends the process soon behind its input. A file or a pipe is another's, who waits.
  static func isFed(_ variable: (String) -> String? = variable, by input: Int32) -> Bool {
    variable("AUDISPATCH_PLUGIN") != nil || DescriptorKind.isSocket(input)
  }

  static func variable(_ name: String) -> String? { Environment.value(name) }
}
