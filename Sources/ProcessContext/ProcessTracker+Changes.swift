import AudispatchPlugin
import AuditRecord

/// What events do to the table.
extension ProcessTracker {
  mutating func noteExec(
    _ number: ProcessNumber, _ facts: ProcessEvent, _ event: AuditEvent, _ moment: Occasion,
    _ context: inout EventContext
  ) {
    context.isExec = true
    take(facts, event, number)
    let arguments = ExecArguments.kept(of: event)
    let isRunning = moment.isHere && table.look(at: number) { $0.ending == .none } == true
    let answer = isRunning ? table.answer(about: number, moment) : nil
    let groups =
      isRunning && answer == nil && settings.findsGroups
      ? source.controlGroups(of: facts.pid).map { groupMemory.groups($0) } : nil
    let script =
      settings.findsScripts ? ScriptFinder.script(of: event, facts, isRunning ? source : nil) : []
    var hash =
      isRunning ? settings.hashLimit.flatMap { source.hash(of: facts.pid, limit: $0) } : nil
    let asksEnvironment = isRunning && answer == nil && !variables.isEmpty
    if asksEnvironment { takeEnvironment(facts.pid, &context) }
    var userGroups = isRunning && settings.showsUserGroups ? source.groups(of: facts.pid) : nil
    // What was read is of what runs now, which may be the next program already.
    if asksEnvironment || hash != nil || userGroups != nil, !runsStill(number, facts.pid) {
      (hash, userGroups) = (nil, nil)
      context.environment = []
      context.hasEnvironment = false
      if asksEnvironment, context.missing.isEmpty { context.missing.append("process.env_vars") }
    }
    let labels = settings.labels
    let parent = (table.look(at: number) { $0.parent } ?? nil).flatMap { table[$0] }
    table.change(number) { process in
      process.exec = event.stamp
      process.take(arguments)
      if script != process.script { process.script = script }
      if process.hash != hash ?? [] { process.hash = hash ?? [] }
      if let groups {
        process.take(groups)
      } else if answer == nil, process.container.isEmpty, let parent {
        process.container = parent.container
        process.unit = parent.unit
      }
      guard !labels.names.isEmpty else { return }
      var kept = process.labels
      if !kept.isEmpty || parent?.labels.isEmpty == false {
        kept = Set(labels.inherited(kept)).union(labels.inherited(parent?.labels ?? [])).sorted()
      }
      process.labels = labels.atExec(
        kept, executable: process.executable, arguments: Self.line(arguments.bytes),
        script: script)
    }
    if let answer {
      context.environment = answer.environment
      context.hasEnvironment = !variables.isEmpty
    } else if isRunning {
      let isKnown = context.missing.isEmpty && (groups != nil || !settings.findsGroups)
      table.keep(
        isKnown ? HostAnswer(asked: moment.now, context.environment) : nil, about: number)
    } else if !variables.isEmpty {
      context.missing.append("process.env_vars")
    }
    if settings.hashLimit != nil, hash == nil { context.missing.append("process.hash") }
    if let userGroups {
      context.groups = userGroups
    } else if settings.showsUserGroups {
      context.missing.append("process.supplemental_groups")
    }
  }

  /// Whether a process still runs what the event says.
  private func runsStill(_ number: ProcessNumber, _ pid: Int32) -> Bool {
    guard let executable = table.look(at: number, { $0.executable }), !executable.isEmpty else {
      return true
    }
    return source.executes(executable, pid)
  }

  mutating func takeEnvironment(_ pid: Int32, _ context: inout EventContext) {
    guard let all = source.environment(of: pid) else {
      context.missing.append("process.env_vars")
      return
    }
    context.environment = variables.found(in: all, most: 256)
    context.hasEnvironment = true
    guard let redactor else { return }
    for (place, (name, value)) in context.environment.enumerated() {
      // As arguments of a program that sets them.
      let words = redactor.redacted([Array("env".utf8), name + [0x3d] + value])
      guard let text = words?.last else { continue }
      let start = name + [0x3d]
      context.environment[place].value =
        text.starts(with: start) ? Array(text.dropFirst(start.count)) : text
    }
  }

  /// A child is as its parent is, until it executes something.
  mutating func noteFork(
    _ number: ProcessNumber, _ facts: ProcessEvent, _ event: AuditEvent, _ moment: Occasion
  ) {
    guard !facts.makesThread, facts.result > 1, let child = Int32(exactly: facts.result),
      child != facts.pid, var process = table[number]
    else { return }
    let status = moment.isHere ? self.status(of: child, moment) : nil
    // In a container the number is one of its own, and clone3 may have made a thread: only what
    // /proc confirms is taken where it can.
    if moment.isHere, status?.parent != facts.pid { return }
    if let known = table.number(of: child), let before = table[known],
      before.ending != .exited, status.map({ $0.started == before.started }) ?? false
    {
      if before.ending == .gone { table.revive(known) }
      return
    }
    process.pid = child
    process.parentPid = facts.pid
    process.parent = number
    process.started = status?.started ?? 0
    process.session = status?.session ?? process.session
    process.exec = nil
    process.ending = .none
    process.labels = settings.labels.inherited(process.labels)
    process.identity = identity(process, event.stamp)
    _ = table.add(process)
  }

  mutating func describe(
    _ number: ProcessNumber, _ facts: ProcessEvent, _ call: EventRecord, _ moment: Occasion,
    _ context: inout EventContext
  ) {
    context.process = table[number]
    let most = settings.tellsAncestors ? EventContext.mostAncestors : 1
    var above = context.process?.parent
    if above != nil { context.ancestors.reserveCapacity(min(most, 8)) }
    while let next = above, context.ancestors.count < most, let process = table[next] {
      above = process.parent
      context.ancestors.append(process)
    }
    if context.ancestors.isEmpty, facts.parent > 0 { context.missing.append("process.parent") }
    if settings.tellsAncestors { describeLeaders(moment, &context) }
    for pid in facts.objects {
      if let object = observe(pid, moment, depth: 0).flatMap({ table[$0] }) {
        context.objects.append(object)
      }
    }
    if let session = facts.session, session != .max { context.login = logins[session] }
  }

  private mutating func describeLeaders(_ moment: Occasion, _ context: inout EventContext) {
    guard let process = context.process else { return }
    let session = process.session
    if session > 0 {
      context.sessionLeader =
        session == process.pid ? process : context.ancestors.first { $0.pid == session }
      if context.sessionLeader == nil {
        // The kernel gives nobody the number of a session that has members: one that has ended led it.
        let found =
          observe(session, moment, depth: EventContext.mostAncestors - 1)
          ?? table.number(of: session).flatMap { table[$0]?.session == session ? $0 : nil }
        context.sessionLeader = found.flatMap { table[$0] }
      }
      if context.sessionLeader == nil { context.missing.append("process.session_leader") }
    }
    context.entryLeader = EntryLeader.find(context)
  }

  func noteLogin(_ event: AuditEvent, _ context: inout EventContext) {
    for record in event.records {
      guard let value = event.value("ses", of: record),
        let number = ProcessEvent.number(value), let session = UInt32(exactly: number),
        session != .max
      else { continue }
      context.login = logins[session]
      return
    }
  }
}
