import Configuration
import Enrichment
import Glibc
import Linux

/// The kernel's audit messages as a stream of binary records on standard output.
enum KernelSource {
  /// Runs until the source ends; the exit status.
  static func run(_ arguments: [String]) -> Int32 {
    keepMemoryPrivate()
    Signals.ignoreFailedWrites()
    let options: Options
    do {
      options = try Options(Array(arguments.dropFirst()))
    } catch {
      Report.say("error: \(error)")
      return ExitStatus.usage
    }
    if options.action == .help { return print(Options.usage) }
    if options.action == .version { return print("audispatch-kernel \(Release.version)\n") }
    let node: String?
    do {
      node = try options.node ?? NodeName.resolve(options.nameFormat, name: options.name)
    } catch {
      Report.say("error: \(error)")
      return ExitStatus.failed
    }
    let page = CounterPage(descriptor: options.countersDescriptor)
    return options.capture
      ? CaptureFilter.run(options, node: node, page)
      : KernelListener.run(options, node: node, page)
  }
}

/// Writes on standard output; the exit status.
private func print(_ text: String) -> Int32 {
  do throws(Errno) {
    try Transfer.writeAll(1, Array(text.utf8))
    return ExitStatus.done
  } catch { return ExitStatus.failed }
}

enum ExitStatus {
  static let done: Int32 = 0
  static let failed: Int32 = 1
  static let usage: Int32 = 2
}
