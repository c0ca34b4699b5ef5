import Linux

/// A part of a folder's entries, sorted by name, as a scan found it: the unit of comparing with a
/// baseline. Parts of one folder do not overlap and come in any order.
struct ScannedPart: Sendable {
  struct Entry: Sendable {
    var name: FileName
    var state: FileState
    /// The rule that decides about it.
    var rule: Int
  }

  let path: FilePath
  let folder: Folder
  var entries: [Entry] = []
  /// Folders in it that are scanned too.
  var folders: [FileName] = []
  /// Entries of a baseline after this name …
  var after: FileName?
  /// … and up to this one belong to this part; `nil`: to the end.
  var upTo: FileName?
  /// How many parts the folder has; 0: only the one entry that is a root of the scan.
  var parts = 1
}

/// Something that a scan could not look at, or that is to be known of what it looked at.
struct ScanProblem: Equatable, Sendable {
  let path: FilePath
  let reason: String
  /// Nothing is wrong: a file system that the kernel makes up, or one that other hosts change.
  var isExpected = false
  /// It was not looked at: of what is below it nothing is known.
  var hidesContent = true
}

enum ScanEvent: Sendable {
  case part(ScannedPart)
  case problem(ScanProblem)
  /// A folder is not there (any more).
  case missing(FilePath)
}
