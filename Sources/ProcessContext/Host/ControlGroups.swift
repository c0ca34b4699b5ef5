import AudispatchPlugin

/// What the control groups of a process say of where it runs: `/proc/PID/cgroup`, a line for each
/// hierarchy, `4:memory:/docker/0123…`.
struct ControlGroups: Equatable {
  /// The container's id, 64 hexadecimal digits, as Docker, Podman, containerd and CRI-O put it into the
  /// group's name; empty for none.
  var container: [UInt8] = []
  /// The systemd unit: `ssh.service`, `session-4.scope`; empty for none.
  var unit: [UInt8] = []

  init(_ text: [UInt8]) {
    for line in text.split(separator: 0x0a) {
      let parts = line.split(separator: 0x3a, maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { continue }
      let names = parts[2].split(separator: 0x2f)
      if container.isEmpty, let id = names.reversed().lazy.compactMap(Self.container).first {
        container = Array(id)
      }
      // Version 2, or systemd's own hierarchy.
      if parts[1].isEmpty || parts[1].elementsEqual("name=systemd".utf8), unit.isEmpty {
        unit = names.reversed().first(where: Self.isUnit).map { Array($0) } ?? []
      }
    }
  }

  private static func container(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var name = name
    for ending in [".scope", ".service"] where name.count > ending.utf8.count {
      if name.suffix(ending.utf8.count).elementsEqual(ending.utf8) {
        name = name.dropLast(ending.utf8.count)
        break
      }
    }
    let id = name.suffix(64)
    guard id.count == 64, id.allSatisfy(Hex.isDigit) else { return nil }
    return id
  }

  /// Whether a group is a unit: a slice only holds others.
  private static func isUnit(_ name: ArraySlice<UInt8>) -> Bool {
    for ending in [".service", ".scope", ".mount", ".socket", ".swap"] {
      if name.count > ending.utf8.count,
        name.suffix(ending.utf8.count).elementsEqual(ending.utf8)
      {
        return true
      }
    }
    return false
  }
}

extension KnownProcess {
  /// Nearly always it is where it was.
  mutating func take(_ groups: ControlGroups) {
    if container != groups.container { container = groups.container }
    if unit != groups.unit { unit = groups.unit }
  }
}
