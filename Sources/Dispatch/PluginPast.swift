import Linux

/// What a plugin's status says of what was before: why it is as it is.
struct PluginPast {
  struct Note<Value> {
    let value: Value
    /// Seconds since 1970.
    let at: Int64

    init(_ value: Value) {
      self.value = value
      at = WallClock.milliseconds / 1000
    }
  }

  /// How its last process ended.
  var lastExit: Note<ChildEnd>?
  /// The last line that it wrote, or that was said of it in vain.
  var lastMessage: Note<String>?
  /// What was said of its confinement since its start.
  var advice: Set<String> = []
}
