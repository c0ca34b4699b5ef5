import Journal

/// What every owner stands on.
struct Base {
  let loop: Loop
  /// Starts plugins, and helpers that feed us.
  let starting: StarterLink
  let settings: Settings
  let ending: Ending
  let runtime: RuntimeFolder
  let journal: Journal
  let source: Source
  let plugins: PluginTable
}

/// One concern of the dispatcher. What it keeps is its own: others ask it, and tell it what happened.
protocol Owner {
  var base: Base { get }
}

extension Owner {
  @inline(__always) var loop: Loop { base.loop }
  @inline(__always) var settings: Settings { base.settings }
  @inline(__always) var ending: Ending { base.ending }
  @inline(__always) var runtime: RuntimeFolder { base.runtime }
  @inline(__always) var journal: Journal { base.journal }
  @inline(__always) var source: Source { base.source }
  @inline(__always) var plugins: PluginTable { base.plugins }
  /// The source can wait for plugins, and does.
  var isReplay: Bool { base.source.canWait }
}
