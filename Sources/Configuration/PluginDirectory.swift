import Linux

/// Reads a folder of plugin files: which are read, which may be trusted, what they ask for.
struct PluginDirectory {
  /// Of every file that could be used, active or not, in the order of the files' names.
  private(set) var plugins: [PluginConfiguration] = []
  /// The plugins whose file is there and cannot be used.
  private(set) var unusable: [String] = []
  /// The plugins whose file is empty or does not end with a newline.
  private(set) var unfinished: [String] = []
  private(set) var diagnostics: [Diagnostic] = []
  /// False when the folder could not be listed or may not be trusted.
  private(set) var wasRead = false

  private let path: String
  private let defaults: PluginConfiguration
  private let environment: LoadEnvironment

  /// - Parameter isNamed: whether the command line names it: then it must be there.
  init(
    _ path: String, isNamed: Bool, defaults: PluginConfiguration, environment: LoadEnvironment
  ) {
    self.path = path
    self.defaults = defaults
    self.environment = environment
    let trust = FileTrust(user: environment.user)
    switch environment.files.names(path) {
    case .failure(let errno):
      diagnostics.append(
        Diagnostic(
          isNamed || errno != .noSuchFile ? .error : .warning, file: path,
          "cannot read the folder of plugins: \(errno)",
          suggestion: errno == .noSuchFile ? "create it, or set plugin_dir" : nil))
    case .success(let names):
      if case .success(let status) = environment.files.status(path),
        let objection = trust.objection(to: status, at: path, called: "it")
      {
        diagnostics.append(
          Diagnostic(
            .error, file: path, "none of its files is read: \(objection.message)",
            suggestion: objection.suggestion))
        return
      }
      wasRead = true
      // By bytes, whatever the locale.
      for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
        consider(name, beside: names)
      }
    }
  }

  private mutating func consider(_ name: String, beside names: [String]) {
    guard !name.hasPrefix(".") else { return }
    let file = path + "/" + name
    if let reason = Self.reasonToIgnore(name) {
      diagnostics.append(Diagnostic(.note, file: file, "ignored: \(reason)"))
      return
    }
    let plugin = name.hasSuffix(".conf") ? String(name.dropLast(5)) : name
    if let reason = Self.objection(toName: plugin) {
      refuse(plugin, Diagnostic(.error, file: file, word: name, reason))
    } else if plugin == name, names.contains(name + ".conf") {
      diagnostics.append(
        Diagnostic(
          .error, file: file, "the plugin \(plugin) is described by \(name).conf",
          suggestion: "rename or remove one of the two"))
    } else if environment.silentPlugins.contains(plugin) {
      refuse(
        plugin,
        Diagnostic(
          .error, file: file, "not read: the file, or what it names, does not answer",
          suggestion: "a file system stands still; reload again when it answers"))
    } else {
      environment.begins(plugin)
      defer { environment.begins(nil) }
      do throws(Diagnostic) {
        if let bytes = try trustedContents(of: file) { read(bytes, file: file, plugin: plugin) }
      } catch { refuse(plugin, error) }
    }
  }

  private mutating func refuse(_ plugin: String, _ reason: Diagnostic) {
    diagnostics.append(reason)
    unusable.append(plugin)
  }

  /// Why a file is left alone, nil when it is read.
  static func reasonToIgnore(_ name: String) -> String? {
    let dots = name.utf8.count { $0 == UInt8(ascii: ".") }
    if dots == 0 { return nil }
    guard name.hasSuffix(".conf") else { return "the name has a dot and does not end in .conf" }
    return dots == 1 ? nil : "the name has two dots, and auditd reads no such file"
  }

  /// Names stand in messages, commands and records, where these would be taken for their ends.
  private static func objection(toName name: String) -> String? {
    if name.unicodeScalars.contains("\u{FFFD}") { return "the name is not UTF-8" }
    let isUnsafe = name.unicodeScalars.contains { scalar in
      scalar.value <= 0x20 || scalar.value == 0x7F || scalar == "\"" || scalar == "'"
        || scalar == "=" || scalar.properties.generalCategory == .control
    }
    return isUnsafe ? "the name has a space, a quote, '=' or a control character" : nil
  }

  /// The bytes of a file that may be trusted; nil when it went away, or its link leads nowhere.
  private mutating func trustedContents(of file: String) throws(Diagnostic) -> [UInt8]? {
    let status: FileStatus
    let bytes: [UInt8]?
    switch environment.files.contents(file, ConfigurationText.fileLimit + 1) {
    case .success(let found, let contents): (status, bytes) = (found, contents)
    case .failure(.noSuchFile):
      if case .success(let link) = environment.files.linkStatus(file), link.kind == .symbolicLink {
        diagnostics.append(Diagnostic(.warning, file: file, "ignored: the link leads nowhere"))
      }
      return nil
    case .failure(let errno):
      throw Diagnostic(.error, file: file, "cannot be read: \(errno)")
    }
    guard let bytes else {
      throw Diagnostic(.error, file: file, "a \(status.kind.rawValue), not a file")
    }
    let trust = FileTrust(user: environment.user)
    if let objection = trust.objection(to: status, at: file, called: "it")
      ?? trust.objection(toFolderOf: file, environment.files)
    {
      throw Diagnostic(.error, file: file, objection.message, suggestion: objection.suggestion)
    }
    return bytes
  }

  private mutating func read(_ bytes: [UInt8], file: String, plugin: String) {
    if bytes.last != UInt8(ascii: "\n") { unfinished.append(plugin) }
    let parsed = PluginFile(bytes, file: file, name: plugin, defaults: defaults)
    diagnostics += parsed.diagnostics
    guard parsed.isUsable else { return unusable.append(plugin) }
    var configuration = parsed.configuration
    guard let path = parsed.path else {
      if parsed.saysNothing {
        diagnostics.append(Diagnostic(.note, file: file, "it says nothing: inactive"))
      }
      return plugins.append(configuration)
    }
    let executable = PluginExecutable(environment: environment)
    var written = path.text
    if parsed.isBuiltin {
      guard configuration.isActive else { return plugins.append(configuration) }
      do throws(Diagnostic) {
        let successor = try BuiltinSuccessor(path, executable)
        written = successor.program
        configuration.arguments = successor.arguments(
          for: configuration.arguments, configuration.format)
      } catch {
        diagnostics.append(error)
        configuration.isActive = false
        return plugins.append(configuration)
      }
    }
    configuration.path = executable.located(written)
    guard configuration.isActive else { return plugins.append(configuration) }
    switch executable.verdict(on: configuration.path, written: written) {
    case .usable(let identity):
      configuration.executable = identity
      do throws(Diagnostic) {
        configuration.confinement = try parsed.confinement.resolved(
          environment, warnings: &diagnostics)
        if let obstacle = executable.obstacle(
          to: configuration.path, for: configuration.confinement)
        {
          throw path.error(obstacle.message, suggestion: obstacle.suggestion)
        }
        plugins.append(configuration)
        // It may come while the plugin is tried again.
        if let missing = executable.missingInterpreter(of: configuration.path) {
          diagnostics.append(path.error(missing))
        }
      } catch { refuse(plugin, error) }
    case .dispatcher:
      diagnostics.append(
        path.warning("this is the dispatcher itself, for auditd to start; not started"))
      configuration.isActive = false
      plugins.append(configuration)
    case .refused(let objection):
      refuse(plugin, path.error(objection.message, suggestion: objection.suggestion))
    }
  }
}
