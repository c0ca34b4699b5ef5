import Configuration
import Linux

/// What plugins print, on its way.
struct Passing {
  /// `nil` until a plugin has `output = pass`.
  var sink: OutputSink?
  private(set) var outputs: [UInt32: PassedOutput] = [:]
  private var nextID: UInt32 = 0
  /// Nobody reads it any more.
  var isBroken = false
  /// A replay has come to its end by itself: what was printed is waited for.
  var isWaitedFor = false
  /// When it is waited for no longer.
  var waitsUntil: Moment?

  func output(_ id: UInt32) -> PassedOutput? { outputs[id] }

  mutating func make(for plugin: String, owning pipe: consuming Descriptor) -> PassedOutput {
    nextID += 1
    return PassedOutput(id: nextID, plugin: plugin, owning: pipe)
  }

  mutating func add(_ output: PassedOutput) { outputs[output.id] = output }
  mutating func remove(_ output: PassedOutput) { outputs[output.id] = nil }
}

extension Dispatcher {
  /// How long a stopping dispatcher waits for what was printed to be taken.
  private static let patience = Duration.seconds(5)

  // MARK: Messages of plugins

  /// Says what a plugin wrote on its standard output and error; one that floods it waits.
  func readOutput(_ plugin: Plugin) {
    var lines: [String] = []
    let outcome = plugin.output?.read(now) { lines.append($0) }
    for line in lines {
      plugin.past.lastMessage = .init(line)
      say(.info, "\(plugin.name): \(line)")
      advise(plugin, on: line)
    }
    if let tellAt = plugin.output?.tellAt { scheduleTick(tellAt) }
    guard outcome != .open, let fd = plugin.output?.number else { return }
    poller.remove(fd)
    plugin.outputRestsUntil = outcome == .flooded ? now + OutputCatcher.rest : nil
    if let until = plugin.outputRestsUntil { scheduleTick(until) }
  }

  /// Waits for what a plugin writes again, once it has rested.
  func goOnWithOutput(_ plugin: Plugin) {
    plugin.output?.tell(now) { say(.info, "\(plugin.name): \($0)") }
    if let tellAt = plugin.output?.tellAt { scheduleTick(tellAt) }
    guard let until = plugin.outputRestsUntil, let fd = plugin.output?.number else { return }
    guard now >= until, poller.add(fd, Token.pluginOutput | UInt64(plugin.id), .read) else {
      return scheduleTick(max(until, now + .milliseconds(1)))
    }
    plugin.outputRestsUntil = nil
  }

  /// Says which keyword stands behind a refusal that a plugin met, once for each.
  private func advise(_ plugin: Plugin, on line: String) {
    let configuration = plugin.configuration
    let advice = ConfinementAdvice(configuration.confinement, program: configuration.path)
    guard let clause = advice.clause(on: line), plugin.past.advice.count < 20,
      plugin.past.advice.insert(clause).inserted
    else { return }
    say(.warning, "plugin \(plugin.name) is confined: \(clause)")
  }

  // MARK: Output that is passed on

  /// The output of a child that is to be started.
  ///
  /// - Returns: the end of it that the child gets; `nil`: it is not passed on.
  func passOutput(of plugin: Plugin) throws(SystemError) -> Descriptor? {
    plugin.passed = nil
    guard plugin.configuration.output == .pass else { return nil }
    try startSink()
    let (reading, writing) = try Pipe.open()
    let end = Descriptor(owning: writing)
    plugin.passed = passing.make(for: plugin.name, owning: Descriptor(owning: reading))
    return end
  }

  private func startSink() throws(SystemError) {
    guard passing.sink == nil else { return }
    let sink = try OutputSink(.ofThisProcess)
    try poller.watch(sink.newsReady.number, Token.outputSink, .read)
    do throws(SystemError) {
      try WorkThread(sink).detach()
    } catch {
      poller.remove(sink.newsReady.number)
      throw error
    }
    passing.sink = sink
  }

  /// The child runs: waits for what it prints. With nobody to take it the child is to know that.
  func beginPassing(_ plugin: Plugin) {
    if passing.isBroken { plugin.passed = nil }
    guard let output = plugin.passed else { return }
    passing.add(output)
    awaitOutput(output)
  }

  private func awaitOutput(_ output: PassedOutput) {
    if !poller.add(output.number, Token.passedOutput | UInt64(output.id), .read) { pass(output) }
  }

  /// Reads what was printed, and hands it to the sink.
  func pass(_ output: PassedOutput) {
    guard !output.isUnderWay, let sink = passing.sink else { return }
    if let piece = output.next() {
      poller.remove(output.number)
      sink.submit(piece)
    } else if output.hasEnded {
      poller.remove(output.number)
      passing.remove(output)
      scheduleTick(now)
    }
  }

  /// The child is gone: what it printed goes on without it.
  func endPassing(_ plugin: Plugin) {
    guard let output = plugin.passed else { return }
    output.hasNoWriter = true
    plugin.passed = nil
    pass(output)
  }

  /// The sink has taken something, or cannot.
  func hearSink() {
    guard let sink = passing.sink else { return }
    let news = sink.takeNews()
    for reason in news.troubles {
      say(.error, "\(sink.place) takes nothing: \(reason): plugins that print wait")
    }
    if news.isBack { say(.notice, "\(sink.place) takes what plugins print again") }
    for output in news.taken.compactMap({ passing.output($0) }) {
      output.wasTaken()
      if output.hasNoWriter { pass(output) } else { awaitOutput(output) }
    }
    if news.isBroken { breakOff(sink) }
  }

  /// Nobody will ever read what is printed: the plugins are told so by their next write.
  private func breakOff(_ sink: OutputSink) {
    passing.isBroken = true
    say(.error, "\(sink.place) is closed: what plugins print is lost")
    for output in passing.outputs.values {
      if !output.isUnderWay { poller.remove(output.number) }
      passing.remove(output)
    }
    for plugin in plugins where plugin.configuration.output == .pass {
      plugin.passed = nil
      if source.canWait {
        plugin.isGivenUp = true
        noteLoss()
      }
    }
    scheduleTick(now)
  }

  /// Whether the plugin waits, or will, for somebody to take what it prints.
  func waitsForSink(_ plugin: Plugin) -> Bool { plugin.passed?.isUnderWay ?? false }

  /// A replay waits for whoever reads what is printed, a person at a pager perhaps.
  func waitForOutput(of plugin: Plugin) {
    guard source.canWait, waitsForSink(plugin) else { return }
    plugin.progressed = now
    if passing.isWaitedFor { plugin.lifecycle.postpone(now) }
  }

  /// Whether everything that was printed was taken, or is waited for no longer.
  func isOutputTaken() -> Bool {
    guard !passing.outputs.isEmpty else { return true }
    let until = passing.waitsUntil ?? now + Self.patience
    passing.waitsUntil = until
    if passing.isWaitedFor || now < until {
      scheduleTick(now + .milliseconds(50))
      return false
    }
    for output in passing.outputs.values {
      say(.error, "plugin \(output.plugin): \(output.held) bytes that it printed were not taken")
    }
    if source.canWait { noteLoss() }
    return true
  }
}
