import AudispatchPlugin
import AuditRecord

/// Which process an event is of.
extension ProcessTracker {
  mutating func process(
    _ facts: ProcessEvent, _ event: AuditEvent, _ moment: Occasion
  ) -> ProcessNumber {
    let known = table.number(of: facts.pid)
    var status: ProcessStatus?
    var isRecent = false
    if let known {
      let seen = table.seen(known, at: moment.at)
      // Within that time the pid of one that has ended does not come round, unless it is seen to be
      // gone meanwhile.
      isRecent = moment.at < seen + Self.sweepPeriod
    }
    if let known, let process = table[known], process.ending != .exited {
      let isExec = facts.kind == .exec && facts.isSuccess
      let isSameParent = process.parentPid == facts.parent
      let isSameProgram =
        isExec || facts.executable.map { Self.isSame($0, facts, event, process) } ?? true
      let isRunning = process.ending == .none && process.started != 0
      // Its pid may have come round since it was seen to have ended, or where it was not seen for long.
      let hadEnded = moment.isHere && table.hadEnded(known, by: moment.at)
      let isIt = !hadEnded && (isRunning ? isRecent : !isExec) || !moment.isHere && !isExec
      if isSameParent, isSameProgram, isIt { return known }
      // Another parent: the old one has ended, or the pid has another owner.
      status = moment.isHere ? self.status(of: facts.pid, moment) : nil
      let isOther =
        status.map { found in
          process.started != 0
            ? found.started != process.started
            : table.hadEnded(known, by: source.started + found.started * 10)
        }
        ?? (hadEnded || !isSameParent && (process.ending != .none || parentRuns(process)))
      if !isOther {
        let found = status
        table.change(known) { process in
          process.parentPid = facts.parent
          if process.started == 0, let found { process.started = found.started }
          if let found { process.session = found.session }
        }
        // It was not seen for a while, because the clock was set perhaps.
        if found != nil {
          table.revive(known)
        } else if moment.isHere, facts.kind != .exit {
          table.end(known, .gone, by: moment.now)
        }
        if !isSameParent { setParent(known, facts.parent, moment) }
        if !isSameProgram { take(facts, event, known) }
        return known
      }
    }
    var process = KnownProcess(pid: facts.pid)
    process.parentPid = facts.parent
    if status == nil, moment.isHere { status = self.status(of: facts.pid, moment) }
    if let status {
      process.started = status.started
      process.session = status.session
    } else if moment.isHere {
      // What has ended before it was looked at.
      process.ending = facts.kind == .exit ? .none : .gone
    }
    process.identity = identity(process, event.stamp)
    let number = table.add(process, lastSeen: moment.at, endedBy: moment.now)
    take(facts, event, number)
    setParent(number, facts.parent, moment)
    if status != nil, facts.kind != .exec {
      takeSurroundings(number, moment)
      labelAsSeen(number)
    }
    return number
  }

  func parentRuns(_ process: KnownProcess) -> Bool {
    process.parent.flatMap { table.look(at: $0) { $0.ending == .none } } ?? false
  }

  static func isSame(
    _ executable: Range<Int>, _ facts: ProcessEvent, _ event: AuditEvent, _ process: KnownProcess
  ) -> Bool {
    let name = event.bytes[executable]
    if facts.isExecutableQuoted, name.elementsEqual(process.executable) { return true }
    return lasting(text(name, facts.isExecutableQuoted)) == process.executable
  }

  /// A name as it was before its file was deleted.
  static func lasting(_ name: [UInt8]) -> [UInt8] {
    let mark = " (deleted)".utf8
    return name.suffix(mark.count).elementsEqual(mark) ? Array(name.dropLast(mark.count)) : name
  }

  static func text(_ value: ArraySlice<UInt8>, _ isQuoted: Bool) -> [UInt8] {
    if isQuoted { return Array(value) }
    if value.elementsEqual("(null)".utf8) || value.elementsEqual("?".utf8) { return [] }
    return Hex.decode(value) ?? Array(value)
  }

  /// What an event says of its own process.
  mutating func take(
    _ facts: ProcessEvent, _ event: AuditEvent, _ number: ProcessNumber
  ) {
    let bytes = event.bytes
    table.change(number) { process in
      // Nearly always it is called as before.
      let isSameName =
        facts.isNameQuoted && facts.name.map { process.name.elementsEqual(bytes[$0]) } == true
      if !isSameName {
        process.name = facts.name.map { Self.text(bytes[$0], facts.isNameQuoted) } ?? []
      }
      guard let place = facts.executable, !Self.isSame(place, facts, event, process) else { return }
      let executable = Self.lasting(Self.text(bytes[place], facts.isExecutableQuoted))
      if !executable.isEmpty { process.executable = executable }
    }
  }

  func status(of pid: Int32, _ moment: Occasion) -> ProcessStatus? {
    guard let status = source.status(of: pid) else { return nil }
    let began = source.started + status.started * 10
    return began <= moment.at + Self.slack ? status : nil
  }

  /// Eight digits of the system's run, or made of another host's name; the pid; and when it began: in
  /// ticks, or, where that is not known, by the event in which it was seen first.
  func identity(_ process: KnownProcess, _ stamp: RecordStamp) -> [UInt8] {
    var text = run
    text.append(0x2d)
    text += Array(String(process.pid).utf8)
    text.append(0x2d)
    if process.started > 0 {
      text += Array(String(process.started, radix: 16).utf8)
    } else {
      text += Array("e\(String(stamp.milliseconds, radix: 16)).\(stamp.serial)".utf8)
    }
    return text
  }

  /// Links a process with its parent, which is looked up if it is not known.
  mutating func setParent(_ number: ProcessNumber, _ pid: Int32, _ moment: Occasion) {
    guard pid > 0, let found = observe(pid, moment, depth: 0), found != number else { return }
    let parent = table[found]
    let labels = settings.labels
    table.change(number) { process in
      process.parent = found
      if process.session == 0, let parent { process.session = parent.session }
      if process.exec == nil, process.labels.isEmpty, let parent {
        process.labels = labels.inherited(parent.labels)
      }
      if process.container.isEmpty, process.ending == .gone, let parent {
        process.container = parent.container
        process.unit = parent.unit
      }
    }
  }

  /// A process that is known, or that /proc tells of, with those above it.
  mutating func observe(
    _ pid: Int32, _ moment: Occasion, depth: Int
  ) -> ProcessNumber? {
    let known = table.number(of: pid)
    // A child may name it for a while after its own last event.
    if let known,
      !moment.isHere || !table.hadEnded(known, by: moment.at - min(moment.at, Self.slack))
    {
      return known
    }
    guard moment.isHere, depth < EventContext.mostAncestors,
      let status = status(of: pid, moment)
    else { return nil }
    if let known, let process = table[known], process.started == status.started {
      // One that has exited may wait there for its parent.
      if process.ending == .gone { table.revive(known) }
      return known
    }
    var process = KnownProcess(pid: pid)
    process.started = status.started
    process.session = status.session
    process.parentPid = status.parent
    process.name = status.name
    process.executable = Self.lasting(source.executable(of: pid) ?? [])
    process.identity = identity(process, RecordStamp(milliseconds: moment.at, serial: 0))
    let parent = status.parent > 0 ? observe(status.parent, moment, depth: depth + 1) : nil
    process.parent = parent
    if let parent, let above = table[parent] {
      process.labels = settings.labels.inherited(above.labels)
    }
    let number = table.add(process)
    takeSurroundings(number, moment)
    labelAsSeen(number)
    return number
  }

  /// Labels of a process whose exec no event has told.
  private mutating func labelAsSeen(_ number: ProcessNumber) {
    let labels = settings.labels
    guard !labels.names.isEmpty else { return }
    table.change(number) { process in
      process.labels = labels.atExec(
        process.labels, executable: process.executable, arguments: Self.line(process.arguments),
        script: [])
    }
  }

  /// What /proc says of a process that was not seen when it was started.
  mutating func takeSurroundings(_ number: ProcessNumber, _ moment: Occasion) {
    guard let pid = table.look(at: number, { $0.pid }) else { return }
    var text = source.arguments(of: pid) ?? []
    if text.last == 0 { text.removeLast() }
    let words = text.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    let arguments = KeptArguments(text.isEmpty ? [] : redactor?.redacted(words) ?? words)
    let groups =
      settings.findsGroups ? source.controlGroups(of: pid).map { groupMemory.groups($0) } : nil
    table.change(number) { process in
      process.take(arguments)
      if let groups { process.take(groups) }
    }
  }

  /// Arguments as one text, with blanks between them.
  static func line(_ arguments: [UInt8]) -> [UInt8] { arguments.map { $0 == 0 ? 0x20 : $0 } }
}
