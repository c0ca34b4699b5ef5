import Journal

/// What every owner stands on.
struct Base {
  let loop: Loop
  let settings: Settings
  let ending: Ending
  let runtime: RuntimeFolder
  let journal: Journal
  let source: Source
  let plugins: PluginTable
}
