import AuditRecord

/// Parts of an event that several forms write alike.
extension DocumentBytes {
  /// `1615113648.981:15220`, within a string.
  mutating func piece(_ stamp: RecordStamp) {
    unsafe write(atMost: 48) { pen in
      unsafe pen.decimal(UInt(stamp.milliseconds / 1000))
      unsafe pen.byte(UInt8(ascii: "."))
      unsafe pen.decimal(UInt(stamp.milliseconds % 1000), digits: 3)
      unsafe pen.byte(UInt8(ascii: ":"))
      unsafe pen.decimal(UInt(Int(clamping: stamp.serial)))
    }
  }

  /// The keys of the rules as `tags`. They stay whole where other values are cut, as long as they
  /// are no more than the kernel allows.
  mutating func tags(_ facts: EventFacts) {
    guard !facts.tags.isEmpty else { return }
    array("tags")
    let values = valueLimit
    var room = itemLimit == .max ? Int.max : 512
    for (place, key) in facts.tags.enumerated() {
      room -= key.count + 8
      guard room >= 0 else {
        omitted(facts.tags.count - place)
        break
      }
      valueLimit = .max
      string(facts.text[key])
      valueLimit = values
    }
    endArray()
  }

  /// `summary`, with the actors as they are to be called.
  mutating func summary(_ facts: EventFacts, actor: ArraySlice<UInt8>, actingAs: ArraySlice<UInt8>)
  {
    object("summary")
    object("actor")
    member("primary", actor)
    member("secondary", actingAs)
    endObject()
    object("object")
    member("type", facts.objectType)
    member("primary", facts.object, facts.text)
    member("secondary", facts.secondaryObject, facts.text)
    endObject()
    member("how", facts.how, facts.text)
    endObject()
  }

  /// What go-libaudit's `process` holds, all as strings.
  mutating func processMembers(_ facts: EventFacts) {
    member("pid", facts.pid, facts.text)
    member("ppid", facts.parent, facts.text)
    member("title", facts.title, facts.text)
    member("name", facts.name, facts.text)
    member("exe", facts.executable, facts.text)
    member("cwd", facts.directory, facts.text)
    list("args", facts.arguments, facts.text)
  }

  /// What go-libaudit's `file` holds, but for labels.
  mutating func fileMembers(_ file: EventFacts.File, _ text: EventText) {
    member("path", file.path, text)
    member("device", file.device, text)
    member("inode", file.inode, text)
    member("mode", file.mode, text)
    member("uid", file.uid, text)
    member("gid", file.gid, text)
  }

  /// An address with its port as a string; nothing for none.
  mutating func address(
    _ name: StaticString, _ address: EventFacts.Address?, _ text: EventText
  ) {
    guard let address else { return }
    object(name)
    member("ip", address.ip, text)
    member("port", address.port, text)
    member("path", address.path, text)
    endObject()
  }
}

extension EventFacts {
  /// Whether anything is known of the process.
  var hasProcess: Bool {
    pid != nil || parent != nil || title != nil || name != nil || executable != nil
      || directory != nil || !arguments.isEmpty
  }
}
