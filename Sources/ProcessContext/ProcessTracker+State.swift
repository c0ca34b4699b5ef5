/// What was known before a restart.
extension ProcessTracker {
  /// Everything that is known, to be kept in a file.
  public func state() -> [UInt8] {
    ProcessState(
      run: run, labels: settings.labels.names, processes: table.all,
      logins: logins.sessions.values.sorted { $0.number < $1.number }
    ).bytes
  }

  /// Takes what a predecessor knew, if it is of this run of the system; what it has of processes that
  /// are not here any more counts as ended. Throws why it is not taken.
  public mutating func restore(_ bytes: [UInt8]) throws(ProcessState.Refusal) {
    let state = try ProcessState(bytes)
    guard state.run == run else { throw .otherRun }
    let pids = source.pids()
    var places: [ProcessNumber: ProcessNumber] = [:]
    let names = settings.labels.names
    for (old, saved) in state.processes.suffix(table.limit) {
      var process = saved
      process.parent = nil
      if let redactor { process.redact(by: redactor) }
      process.labels = saved.labels.compactMap { place in
        names.firstIndex(of: state.labels[Int(place)]).map { UInt16($0) }
      }.sorted()
      var endedBy = UInt64.max
      if process.ending == .none {
        let other = pids?.contains(process.pid) == true ? source.status(of: process.pid) : nil
        let isSame = process.started != 0 && other?.started == process.started
        if !isSame { process.ending = .gone }
        // Before another one began with its pid.
        if !isSame, let other { endedBy = source.started + other.started * 10 }
      }
      places[old] = table.add(process, endedBy: endedBy)
    }
    // A parent may have been seen behind its child.
    for (old, saved) in state.processes {
      guard let number = places[old], let parent = saved.parent.flatMap({ places[$0] }) else {
        continue
      }
      table.change(number) { $0.parent = parent }
    }
    for login in state.logins { logins.add(login) }
  }
}
