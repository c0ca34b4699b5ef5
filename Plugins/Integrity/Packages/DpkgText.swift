import AudispatchPlugin

/// The text files of dpkg's database (deb-md5sums(5), dpkg(1)). What is no such text gives nothing:
/// nothing is explained by it then.
enum DpkgText {
  struct Stanza: Equatable {
    var version: String
    var state: String
    /// Configuration files and the MD5 of each as the package has it.
    var conffiles: [(path: [UInt8], sum: [UInt8])] = []

    static func == (a: Self, b: Self) -> Bool {
      a.version == b.version && a.state == b.state
        && a.conffiles.elementsEqual(b.conffiles) { $0.path == $1.path && $0.sum == $1.sum }
    }
  }

  /// The packages of `status`.
  static func stanzas(_ bytes: [UInt8]) -> [PackageName: Stanza] {
    var found: [PackageName: Stanza] = [:]
    var name = PackageName(name: "", architecture: "")
    var stanza = Stanza(version: "", state: "")
    var isInConffiles = false
    func end() {
      if !name.name.isEmpty, !stanza.state.isEmpty { found[name] = stanza }
      name = PackageName(name: "", architecture: "")
      stanza = Stanza(version: "", state: "")
      isInConffiles = false
    }
    for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      guard let first = line.first else {
        end()
        continue
      }
      if first == 0x20 || first == 0x09 {
        if isInConffiles, let file = conffile(line.drop { $0 == 0x20 }) {
          stanza.conffiles.append(file)
        }
        continue
      }
      isInConffiles = false
      if let value = value(line, "Package") {
        name.name = value
      } else if let value = value(line, "Architecture") {
        name.architecture = value
      } else if let value = value(line, "Version") {
        stanza.version = value
      } else if let value = value(line, "Status") {
        stanza.state = value.split(separator: " ").last.map(String.init) ?? ""
      } else {
        isInConffiles = line.starts(with: "Conffiles:".utf8)
      }
    }
    end()
    return found
  }

  private static func value(_ line: ArraySlice<UInt8>, _ field: String) -> String? {
    guard line.starts(with: field.utf8), line.dropFirst(field.utf8.count).first == 0x3a else {
      return nil
    }
    let value = line.dropFirst(field.utf8.count + 1).drop { $0 == 0x20 }
    return String(decoding: value, as: UTF8.self)
  }

  /// `/etc/hello.conf 7b04…`, perhaps with `obsolete` behind it.
  private static func conffile(_ line: ArraySlice<UInt8>) -> (path: [UInt8], sum: [UInt8])? {
    var words = line.split(separator: 0x20, omittingEmptySubsequences: false)
    while let last = words.last, words.count > 2, digest(last) == nil { words.removeLast() }
    guard let last = words.popLast(), let sum = digest(last), !words.isEmpty else { return nil }
    return (Array(words.joined(separator: [0x20])), sum)
  }

  /// The lines of `md5sums`: a digest, two blanks, a path without its first slash.
  static func sums(_ bytes: [UInt8]) -> [(path: [UInt8], sum: [UInt8])] {
    bytes.split(separator: 0x0a).compactMap { line in
      guard line.count > 34, let sum = digest(line.prefix(32)),
        line.dropFirst(32).prefix(2).elementsEqual("  ".utf8)
      else { return nil }
      return ([0x2f] + line.dropFirst(34), sum)
    }
  }

  /// The lines of `list`.
  static func paths(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: 0x0a).map { Array($0) }
  }

  /// A file that a package has is kept under another name, unless the package is the one named.
  struct Diversion: Equatable {
    var path: [UInt8]
    var kept: [UInt8]
    /// `:` stands for the administrator.
    var package: String
  }

  static func diversions(_ bytes: [UInt8]) -> [Diversion] {
    let lines = bytes.split(separator: 0x0a)
    return stride(from: 0, to: lines.count - 2, by: 3).map { at in
      Diversion(
        path: Array(lines[at]), kept: Array(lines[at + 1]),
        package: String(decoding: lines[at + 2], as: UTF8.self))
    }
  }

  private static func digest(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    text.count == 32 ? Hex.decode(anyCase: text) : nil
  }
}

extension Hex {
  /// The same for digits of both cases.
  static func decode(anyCase text: some Collection<UInt8>) -> [UInt8]? {
    decode(text.map { (0x61...0x66).contains($0) ? $0 - 0x20 : $0 })
  }
}
