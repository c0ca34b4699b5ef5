public import AudispatchPlugin
import Configuration

/// What the lines of a plugin's file make of its options, with the errors and warnings.
public func settled<Options: PluginOptions>(
  _ type: Options.Type, _ lines: [String]
) -> (options: Options, said: [String]) {
  var options = Options()
  var said: [String] = []
  for setting in ConfigurationText(Array(lines.joined(separator: "\n").utf8), file: "f").settings {
    do throws(Diagnostic) {
      guard let keyword = Options.keywords.first(where: { $0.name == setting.keyword.text })
      else { throw setting.keyword.error("unknown keyword") }
      try keyword.apply(&options, setting)
    } catch { said.append(error.description) }
  }
  if said.isEmpty { said = options.settle().map(\.description) }
  return (options, said)
}
