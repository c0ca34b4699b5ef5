import Linux

/// What of the host keeps a configuration from doing what it says.
extension LoadedConfiguration {
  /// What an overflow action is to execute should be there before it is needed.
  mutating func noteMissingCommands(_ files: FileAccess) {
    let active = plugins.filter(\.isActive)
    for (action, keyword, command) in [
      (OverflowAction.single, "single_exe", daemon.singleCommand),
      (.halt, "halt_exe", daemon.haltCommand),
    ] {
      guard let plugin = active.first(where: { $0.overflowAction == action }),
        let path = command.first, case .failure(let errno) = files.status(path)
      else { continue }
      note([
        Diagnostic(
          .error, file: daemonFile ?? plugin.file, word: path,
          "\(keyword) cannot be executed when plugin \(plugin.name) overflows: \(errno)")
      ])
    }
  }

  /// Notes that this process could not write the queues on disk that a plugin is to have. Blocks.
  public mutating func noteUnwritableSpool() {
    guard let plugin = plugins.first(where: { $0.isActive && $0.overflowAction.isDurable }),
      let refusal = WriteAccess.refusal(daemon.spoolDirectory + "/lock")
    else { return }
    note([
      Diagnostic(
        .error, file: daemon.spoolDirectory,
        "\(refusal): the queue of plugin \(plugin.name) would be in memory only",
        suggestion: WriteAccess.reason(refusal.cause, for: daemon.spoolDirectory))
    ])
  }

  /// Notes that the file system has less room than the spool is to leave: nothing would be taken into
  /// it. Blocks.
  public mutating func noteFullSpool() {
    var folder = daemon.spoolDirectory
    while (try? Files.status(of: folder)) == nil, folder != "/" {
      folder = Files.folder(of: folder)
    }
    guard plugins.contains(where: { $0.isActive && $0.overflowAction.isDurable }),
      let room = FileSystem.room(of: folder), room.free < daemon.spoolReserve
    else { return }
    note([
      Diagnostic(
        .warning, file: daemon.spoolDirectory,
        "\(room.free >> 20) MiB are free, and spool_reserve keeps \(daemon.spoolReserve >> 20) MiB "
          + "of them: the spool would take no records",
        suggestion: "make room, or set a smaller spool_reserve")
    ])
  }
}
