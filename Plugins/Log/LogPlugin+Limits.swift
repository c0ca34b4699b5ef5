import AudispatchPlugin
import Linux

extension LogOptions {
  /// Whether the log is moved away when it is large.
  var rotatesBySize: Bool { sizeAction == .keepLogs || sizeAction == .rotate && fileCount >= 2 }

  /// How many files rotation leaves; `nil`: all.
  var kept: Int? { sizeAction == .rotate && fileCount >= 2 ? fileCount : nil }
}

/// Size, age and space: what is done when a limit is reached.
extension LogPlugin {
  // MARK: Size

  /// The log has reached its size.
  mutating func meetSize() throws(Obstacle) {
    switch options.sizeAction {
    case .rotate, .keepLogs:
      guard options.rotatesBySize else { return sayLarge() }
      try rotate()
    case .syslog: sayLarge()
    case .suspend: if let sizeObstacle { throw sizeObstacle }
    default: break
    }
  }

  private mutating func sayLarge() {
    guard rotation.isLargeNews() else { return }
    log.write(.warning, "\(options.file) is larger than max_log_file")
  }

  /// The obstacle that a full size is with the action suspend.
  var sizeObstacle: Obstacle? {
    guard options.sizeAction == .suspend, let file, file.size >= options.maximumSize else {
      return nil
    }
    return Obstacle(.size, "\(options.file) has reached max_log_file")
  }

  /// Moves the log away and begins another. When it cannot be moved it is written on.
  mutating func rotate() throws(Obstacle) {
    guard rotation.mayBeTried(at: MonotonicTime.now), let old = file else { return }
    try makeSafe()
    do throws(Obstacle) {
      try rotation.folder.rotate(keeping: options.kept)
    } catch {
      rotation.failed(at: MonotonicTime.now)
      log.write(.error, "\(error.text); \(options.file) is written on")
      return
    }
    do throws(Obstacle) {
      try old.close(group: options.group)
    } catch { log.write(.error, error.text) }
    closeFile()
    counts.rotations += 1
    file = try LogFile(options.file, group: options.group)
    rotation.began()
    if options.flush != .none { try rotation.folder.sync() }
    lookAfterCompression()
  }

  // MARK: Age

  /// When the log is too old; `nil` too when that was so and it could not be moved, which is tried
  /// again when the next record comes.
  var ageDeadline: Duration? {
    guard options.maximumAge > 0, rotation.isFree else { return nil }
    return file?.begun.map { $0 + .seconds(options.maximumAge) }
  }

  mutating func rotateByAge() throws(Obstacle) {
    guard options.maximumAge > 0, let begun = file?.begun else { return }
    if begun + .seconds(options.maximumAge) <= MonotonicTime.now { try rotate() }
  }

  // MARK: Space

  /// Looks at the file system and at the log's name, at most once a second or a MiB.
  mutating func look() throws(Obstacle) {
    guard let file, looks.areDue(at: MonotonicTime.now) else { return }
    if !file.isInPlace {
      log.write(.warning, "\(options.file) was moved or removed; it is made again")
      try makeSafe()
      closeFile()
      self.file = try LogFile(options.file, group: options.group)
    }
    self.file?.measure()
    guard let file = self.file, var room = FileSystem.room(file.number) else { return }
    let low = options.spaceLeft.bytes(of: room.total)
    let last = options.adminSpaceLeft.bytes(of: room.total)
    if room.free < max(low, last), stopCompression() {
      room = FileSystem.room(file.number) ?? room
    }
    let (fell, rose) = looks.space.look(free: room.free, low: low, administrators: last)
    if let fell {
      let (name, action) =
        fell == .low
        ? ("space_left", options.spaceAction) : ("admin_space_left", options.adminSpaceAction)
      perform(action, "\(rotation.folder.path) has \(room.free >> 20) MiB left, less than \(name)")
    }
    if rose { log.write(.notice, "\(rotation.folder.path) has \(room.free >> 20) MiB left again") }
    let action: LogAction =
      switch looks.space.level {
      case .enough: .ignore
      case .low: options.spaceAction
      case .administrators: options.adminSpaceAction
      }
    if action == .rotate { _ = removeOldest() }
    if action == .suspend {
      throw Obstacle(.space, "\(rotation.folder.path) has only \(room.free >> 20) MiB left")
    }
    lookAfterCompression()
  }

  private mutating func removeOldest() -> Bool {
    do throws(Obstacle) {
      guard let removed = try rotation.folder.removeOldest() else { return false }
      log.write(.warning, "removed \(removed) to make room")
      return true
    } catch {
      log.write(.error, error.text)
      return false
    }
  }

  /// The disk is full: the oldest rotated file goes, at last the log itself.
  mutating func makeRoom() -> Bool {
    if removeOldest() { return true }
    guard let file, file.size > 0, rotation.isFree else { return false }
    do throws(Obstacle) {
      try makeSafe()
      try rotation.folder.rotate(keeping: nil)
    } catch { return false }
    counts.rotations += 1
    closeFile()
    return removeOldest()
  }

  // MARK: Actions

  /// Nothing can be written now.
  mutating func meet(_ obstacle: Obstacle) {
    let now = MonotonicTime.now
    if obstacle.kind == .failure {
      closeFile()
    } else {
      // What is written becomes safe all the same; if not, it is written again.
      do throws(Obstacle) { try makeSafe() } catch { log.write(.error, error.text) }
    }
    if standstill != nil {
      if standstill?.goesOn(obstacle, at: now) == true {
        let time = Standstill.seconds(now - (standstill?.since ?? now))
        log.write(
          .alert,
          "still writes nothing, for \(time): \(obstacle.text); "
            + "\(held.unwritten) bytes wait here\(droppedHere)")
      }
      return
    }
    standstill = Standstill(obstacle, at: now)
    counts.standstills += 1
    log.write(.alert, "\(obstacle.text); tried again each second")
    switch obstacle.kind {
    case .full: perform(options.fullAction, nil)
    case .failure: perform(options.errorAction, nil)
    case .space, .size: break
    }
  }

  /// Does what an action asks for beside writing or not.
  private mutating func perform(_ action: LogAction, _ text: String?) {
    if let text, action != .ignore, action != .suspend { log.write(.alert, text) }
    let why = text ?? standstill?.obstacle.text ?? ""
    switch action {
    case .ignore, .syslog, .rotate, .keepLogs, .suspend: break
    case .email:
      let mail = ActionPrograms.mail(to: options.mailAccount, "Audit disk space alert", why)
      programs.start([LogOptions.mailProgram, options.mailAccount], input: mail, &log)
    case .execute(let path): programs.start([path], &log)
    case .single: programs.start(options.singleCommand, &log)
    case .halt: programs.start(options.haltCommand, &log)
    }
  }

  // MARK: Compression

  mutating func lookAfterCompression() {
    do throws(Obstacle) {
      _ = try rotation.compression.finish()
      guard options.compresses, rotation.compression.pidfd == nil, let file,
        let room = FileSystem.room(file.number)
      else { return }
      try rotation.compression.start(
        leaving: options.uncompressed, group: options.group,
        room: room.free - options.spaceLeft.bytes(of: room.total))
      if let pidfd = rotation.compression.pidfd { watch(pidfd) }
    } catch { log.write(.error, error.text) }
  }

  /// The log needs the room that a compression takes; `false` when none runs.
  mutating func stopCompression() -> Bool {
    guard rotation.compression.stop() else { return false }
    log.write(.notice, "stopped compressing a rotated file: there is too little room")
    return true
  }
}
