import Linux

/// A stream, as it is or as it shall be.
struct StreamState: Equatable, Sendable {
  /// For how long the stream knows ids.
  var window: Duration
  /// How long messages are kept, and how many bytes of them; `nil` for no bound.
  var maxAge: Duration?
  var maxBytes: Int?
  var replicas = 1
  var takesSubject = true
}

/// What `setup` does about a stream.
enum StreamPlan: Equatable {
  case make
  /// What is there is good, and what is to be said of it.
  case keep([String])
  /// Its window becomes that long; what is to be said beside that.
  case widen([String])
  case refuse(String)

  /// - Parameters:
  ///   - found: what is there.
  ///   - wanted: what was asked for, with what counts without being asked for.
  ///   - given: which of the bounds were asked for.
  init(found: StreamState?, wanted: StreamState, given: Set<String>) {
    guard let found else {
      self = .make
      return
    }
    guard found.takesSubject else {
      self = .refuse("the stream is there, and does not take our subjects")
      return
    }
    if let shrunk = Self.shrunk(found, wanted, given) {
      self = .refuse(
        "\(shrunk) of the stream that is there is larger: it is not made smaller, for that can "
          + "delete messages")
      return
    }
    if let age = found.maxAge, age < wanted.window {
      self = .refuse(
        "the stream that is there keeps messages for \(age), which is less than the window")
      return
    }
    var notes: [String] = []
    let others = [
      ("max_age", found.maxAge != wanted.maxAge), ("max_size", found.maxBytes != wanted.maxBytes),
      ("replicas", found.replicas != wanted.replicas),
    ]
    for (keyword, differs) in others where differs && given.contains(keyword) {
      notes.append("its \(keyword) is another one, and stays")
    }
    if found.window > wanted.window { notes.append("its window is \(found.window), and stays") }
    self = found.window < wanted.window ? .widen(notes) : .keep(notes)
  }

  private static func shrunk(
    _ found: StreamState, _ wanted: StreamState, _ given: Set<String>
  ) -> String? {
    if given.contains("max_age"), let age = wanted.maxAge, age < found.maxAge ?? .seconds(Int64.max)
    {
      return "max_age"
    }
    if given.contains("max_size"), let bytes = wanted.maxBytes, bytes < found.maxBytes ?? .max {
      return "max_size"
    }
    return given.contains("replicas") && wanted.replicas < found.replicas ? "replicas" : nil
  }
}
