/// A record of its own event.
public func record(_ serial: Int, _ more: String = "") -> String {
  "type=USER msg=audit(1700000000.000:\(serial)): pid=1 n=\(serial)\(more)"
}

public func records(_ serials: ClosedRange<Int>, _ more: String = "") -> [String] {
  serials.map { record($0, more) }
}

/// The ids of those events, where the node is `host`.
public func ids(_ serials: ClosedRange<Int>) -> [String] {
  serials.map { "host:1700000000.000:\($0)" }.sorted()
}

/// Lines of a plugin's file as the options of its command line.
public func options(_ lines: [String]) -> [String] {
  lines.map { line in
    let parts = line.split(separator: "=", maxSplits: 1).map {
      String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    return "--\(parts[0].replacing("_", with: "-"))=\(parts[1])"
  }
}

/// The counters that a plugin logs at its end.
public func figure(_ name: String, in messages: String) -> Int? {
  messages.matches(of: #/([a-z_]+)[ =](\d+)/#).last { $0.1 == name }.flatMap { Int($0.2) }
}
