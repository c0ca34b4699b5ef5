import Configuration
import Journal
import Linux

/// What plugins print: messages of theirs, which are said, and standard output that is passed on.
final class PluginOutput: Owner {
  /// A child's standard output that is to be passed on, before the child is there.
  final class Prepared {
    let output: PassedOutput
    let childEnd: Descriptor

    fileprivate init(_ output: PassedOutput, childEnd: consuming Descriptor) {
      self.output = output
      self.childEnd = childEnd
    }
  }

  /// How long a stopping dispatcher waits for what was printed to be taken.
  private static let patience = Duration.seconds(5)

  let base: Base
  /// `nil` until a plugin has `output = pass`.
  private var sink: OutputSink?
  private var outputs: [PassedOutput.ID: PassedOutput] = [:]
  private var nextID = PassedOutput.ID.first
  /// Nobody reads it any more.
  private var isBroken = false
  /// A replay has come to its end by itself: what was printed is waited for.
  private var isWaitedFor = false
  /// When it is waited for no longer.
  private var waitsUntil: Moment?

  init(_ base: Base) {
    self.base = base
  }

  // MARK: Messages of plugins

  /// Says what a plugin wrote on its standard output and error; one that floods it waits.
  func read(_ plugin: Plugin) {
    guard let child = plugin.child else { return }
    var lines: [String] = []
    let outcome = child.output.read(loop.now) { lines.append($0) }
    for line in lines {
      plugin.printed(line)
      loop.say(.info, "\(plugin.name): \(line)")
      advise(plugin, on: line)
    }
    if let tellAt = child.output.tellAt { loop.wake(.plugins, at: tellAt) }
    guard outcome != .open else { return }
    loop.poller.remove(child.outputNumber)
    if let until = child.output.restsUntil { loop.wake(.plugins, at: until) }
  }

  /// Waits for what a plugin writes again, once it has rested.
  func goOn(_ plugin: Plugin) {
    guard let child = plugin.child else { return }
    child.output.tell(loop.now) { loop.say(.info, "\(plugin.name): \($0)") }
    if let tellAt = child.output.tellAt { loop.wake(.plugins, at: tellAt) }
    waitForReader(of: plugin, child)
    guard let until = child.output.restsUntil else { return }
    let token = Token.pluginOutput(plugin.id)
    guard loop.now >= until, loop.poller.add(child.outputNumber, token, .read) else {
      return loop.wake(.plugins, at: max(until, loop.now + .milliseconds(1)))
    }
    child.output.goOn()
  }

  /// Says which keyword stands behind a refusal that a plugin met, once for each.
  private func advise(_ plugin: Plugin, on line: String) {
    let configuration = plugin.configuration
    let advice = ConfinementAdvice(configuration.confinement, program: configuration.path)
    guard let clause = advice.clause(on: line), plugin.isNews(advice: clause) else { return }
    loop.say(.warning, "plugin \(plugin.name) is confined: \(clause)")
  }

  // MARK: Output that is passed on

  /// The output of a child that is to be started; `nil`: it is not passed on.
  func prepare(for plugin: Plugin) throws(SystemError) -> Prepared? {
    guard plugin.configuration.output == .pass else { return nil }
    try startSink()
    let pipe = try Pipe()
    let output = PassedOutput(id: nextID, plugin: plugin.name, owning: pipe.reading)
    nextID = nextID.next
    return Prepared(output, childEnd: pipe.writing)
  }

  private func startSink() throws(SystemError) {
    guard sink == nil else { return }
    let new = try OutputSink(.ofThisProcess)
    try loop.poller.watch(new.newsReady.number, Token.outputSink, .read)
    do throws(SystemError) {
      try WorkThread(new).detach()
    } catch {
      loop.poller.remove(new.newsReady.number)
      throw error
    }
    sink = new
  }

  /// The child runs: waits for what it prints. With nobody to take it the child is to know that.
  func begin(_ child: PluginChild) {
    if isBroken { child.stopPassing() }
    guard let output = child.passed else { return }
    outputs[output.id] = output
    listen(to: output)
  }

  private func listen(to output: PassedOutput) {
    if !loop.poller.add(output.number, .passedOutput(output.id), .read) {
      pass(output)
    }
  }

  /// A child's output has something.
  func pass(_ id: PassedOutput.ID) { if let output = outputs[id] { pass(output) } }

  /// Reads what was printed, and hands it to the sink.
  private func pass(_ output: PassedOutput) {
    guard !output.isUnderWay, let sink else { return }
    if let piece = output.next() {
      loop.poller.remove(output.number)
      sink.submit(piece)
    } else if output.hasEnded {
      loop.poller.remove(output.number)
      outputs[output.id] = nil
      loop.wakeAll()
    }
  }

  /// The child is gone: what it printed goes on without it.
  func end(_ child: PluginChild) {
    guard let output = child.passed else { return }
    output.losesWriter()
    child.stopPassing()
    pass(output)
  }

  /// The sink has taken something, or cannot.
  func hearSink() {
    guard let sink else { return }
    let news = sink.takeNews()
    for reason in news.troubles {
      loop.say(.error, "\(sink.place) takes nothing: \(reason): plugins that print wait")
    }
    if news.isBack { loop.say(.notice, "\(sink.place) takes what plugins print again") }
    for output in news.taken.compactMap({ outputs[$0] }) {
      output.wasTaken()
      if output.hasNoWriter { pass(output) } else { listen(to: output) }
    }
    if news.isBroken { breakOff(sink) }
  }

  /// Nobody will ever read what is printed: the plugins are told so by their next write.
  private func breakOff(_ sink: OutputSink) {
    isBroken = true
    loop.say(.error, "\(sink.place) is closed: what plugins print is lost")
    for output in outputs.values where !output.isUnderWay { loop.poller.remove(output.number) }
    outputs = [:]
    for plugin in plugins.all where plugin.configuration.output == .pass {
      plugin.child?.stopPassing()
      if isReplay {
        plugin.giveUp()
        ending.noteLoss()
      }
    }
    loop.wakeAll()
  }

  // MARK: Whoever reads it

  /// Whether the plugin waits, or will, for somebody to take what it prints.
  func isWaited(by plugin: Plugin) -> Bool { plugin.child?.passed?.isUnderWay ?? false }

  /// A replay waits for whoever reads what is printed, a person at a pager perhaps.
  private func waitForReader(of plugin: Plugin, _ child: PluginChild) {
    guard isReplay, isWaited(by: plugin) else { return }
    plugin.excuse(loop.now)
    if isWaitedFor { plugin.postponeEnd(loop.now) }
  }

  /// What was printed is waited for, however long; or no longer than usual.
  func waitForReader(_ waits: Bool) { isWaitedFor = waits }

  /// Whether everything that was printed was taken, or is waited for no longer.
  func isTaken() -> Bool {
    guard !outputs.isEmpty else { return true }
    let until = waitsUntil ?? loop.now + Self.patience
    waitsUntil = until
    if isWaitedFor || loop.now < until { return false }
    for output in outputs.values {
      loop.say(
        .error, "plugin \(output.plugin): \(output.held) bytes that it printed were not taken")
    }
    if isReplay { ending.noteLoss() }
    return true
  }
}
