import AuditRecord
import CAuparse
import Linux
import Testing

@testable import AudispatchPlugin

@Suite("Encoded fields")
struct EncodedFieldsTests {
  /// Every name in the field dictionary of the audit project, those it calls "encoded" with a `+`.
  static let dictionary = """
    a0 a1 a2 a3 +acct acl action added +addr +apparmor arch argc audit_backlog_limit
    audit_backlog_wait_time audit_enabled audit_failure auid banners bool bus capability cap_fe
    cap_fi cap_fp cap_fver cap_pa cap_pe cap_pi cap_pp category +cgroup changed cipher class +cmd
    code +comm compat +cwd daddr +data default-context dev +device +dir direction dmac dport egid
    enforcing entries errno euid +exe exit fam family fd +file flags fe feature fi fp format fsgid
    fsuid fver gid grantors +grp hook hostname icmp_type id igid img-ctx inif ip ipid ino inode
    inode_gid inode_uid +invalid_context ioctlcmd ipx-net item items iuid kernel +key kind ksize
    laddr len lport list mac macproto maj major minor mode model msg nargs +name nametype net new
    +new-chardev +new-disk new-enabled +new-fs new_gid new-level new_lock new-log_passwd new-mem
    +new-net new_pe new_pi new_pp new-range +new-rng new-role new-seuser new-vcpu nlnk-fam nlnk-grp
    nlnk-pid oauid obj obj_gid obj_uid oflag ogid +ocomm old old-auid +old-chardev +old-disk
    old-enabled old_enforcing +old-fs old-level old_lock old-log_passwd old-mem +old-net old_pa
    old_pe old_pi old_pp old_prom old-range +old-rng old-role old-ses old-seuser old_val old-vcpu op
    opid oses ouid outif pa pe pi pp parent +path per perm perm_mask permissive pfs pid ppid printer
    prom +proctitle proto qbytes range rdev reason removed res resrc result role rport +saddr sauid
    scontext selected-context seperm seqno seperms seresult ses seuser sgid sig sigev_signo smac
    spid sport state subj success suid syscall table tclass tcontext terminal tty type uid unit uri
    user uuid val ver virt +vm vm-ctx vm-pid +watch
    """

  /// Not in the dictionary, and taken for encoded by libauparse 3.0.9.
  static let further = [
    "denied_mask", "info", "new_group", "operation", "profile", "requested_mask", "root_dir", "sw",
  ]

  private func isEncoded(_ name: String, _ type: UInt32 = 1100) -> Bool {
    EncodedFields.contains(Array(name.utf8)[...], type: RecordType(rawValue: type))
  }

  @Test func `are those of the dictionary`() {
    for word in Self.dictionary.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      let name = String(word.drop { $0 == "+" })
      // Addresses are bytes and not text; `addr` is plain in what user space writes.
      let isText = word.hasPrefix("+") && name != "saddr" && name != "addr"
      #expect(isEncoded(name) == isText, "\(name)")
    }
  }

  @Test func `are those of libauparse`() {
    let words = Self.dictionary.split(whereSeparator: { $0 == " " || $0 == "\n" })
      .map { String($0.drop { $0 == "+" }) }
    let others = [
      "list_name", "device.rule", "srawcon", "kmod", "peer", "label", "target", "text", "cmdline",
    ]
    for name in words + Self.further + others where name != "type" {
      #expect(isEncoded(name) == Self.isEscaped(name), "\(name)")
    }
    for name in Self.further { #expect(isEncoded(name), "\(name)") }
  }

  /// What libauparse takes a field for.
  private static func isEscaped(_ name: String) -> Bool {
    LibauparseTurn.take(.nobody) { _ in
      let line = "type=USER_AUTH msg=audit(1.000:1): \(name)=41424344\n"
      guard let parser = unsafe auparse_init(AUSOURCE_BUFFER, line) else { return false }
      defer { unsafe auparse_destroy_ext(parser, AUPARSE_DESTROY_COMMON) }
      guard unsafe auparse_next_event(parser) > 0, unsafe auparse_first_record(parser) > 0,
        unsafe auparse_find_field(parser, name) != nil
      else { return false }
      let kind = auparse_type_t(UInt32(bitPattern: unsafe auparse_get_field_type(parser)))
      return [
        AUPARSE_TYPE_ESCAPED, AUPARSE_TYPE_ESCAPED_KEY, AUPARSE_TYPE_ESCAPED_FILE,
        AUPARSE_TYPE_PROCTITLE, AUPARSE_TYPE_TTY_DATA,
      ].contains(kind)
    }
  }

  static let byType: [(UInt32, [String], [String])] = [
    (
      1400,
      [
        "peer", "label", "target", "srcname", "trans", "srawcon", "trawcon", "dev", "kmod",
        "namespace", "name", "comm", "profile", "subject", "object", "fstype", "key_desc",
      ], ["scontext", "tclass", "ino", "capname", "signal", "netif"]
    ),
    (1700, ["comm"], ["dev", "prom", "label"]),
    (1309, ["a0", "a12", "a1[3]"], ["argc", "a1_len", "a", "b1"]),
    (1300, ["comm", "exe", "key"], ["a0", "a1", "subj", "tty"]),
    (1806, ["xattr", "dev"], ["op", "cause"]), (1137, ["device.rule", "device"], ["op"]),
    (1005, ["msg"], ["text"]),
  ]

  @Test(arguments: byType)
  func `depend on the record where names have two uses`(
    _ type: UInt32, _ encoded: [String], _ plain: [String]
  ) {
    for name in encoded { #expect(isEncoded(name, type), "\(name)") }
    for name in plain { #expect(!isEncoded(name, type), "\(name)") }
  }

  static let values: [(String, String, String)] = [
    ("type=BPRM_FCAPS msg=audit(1.000:1): new_pe=0000000000002000", "new_pe", "0000000000002000"),
    ("type=SERVICE_START msg=audit(1.000:1): pid=1 msg='unit=DEAD'", "unit", "DEAD"),
    ("type=USER_ACCT msg=audit(1.000:1): pid=1 msg='grantors=ABBA acct=626F62'", "acct", "bob"),
    ("type=USER_ACCT msg=audit(1.000:1): pid=1 msg='grantors=ABBA'", "grantors", "ABBA"),
    ("type=VIRT_RESOURCE msg=audit(1.000:1): msg='vm-ctx=1234'", "vm-ctx", "1234"),
    ("type=AVC msg=audit(1.000:1): peer=2F6120622F", "peer", "/a b/"),
    ("type=AVC msg=audit(1.000:1): trawcon=6D7920637478", "trawcon", "my ctx"),
    ("type=ANOM_PROMISCUOUS msg=audit(1.000:1): dev=ABBA prom=256", "dev", "ABBA"),
    ("type=USER_DEVICE msg=audit(1.000:1): msg='device.rule=616C6C6F77'", "device.rule", "allow"),
  ]

  @Test(arguments: values)
  func `are decoded, and no others`(_ line: String, _ name: String, _ expected: String) {
    let event = assemble([Array(line.utf8)])[0]
    let value = event.value(name, of: event.records[0]).map { String(decoding: $0, as: UTF8.self) }
    #expect(value == expected)
  }

  /// Where libauparse takes a field for escaped, our decoding has its bytes, and the reverse.
  @Test func `have libauparse's values in all of the corpus`() {
    var compared = 0
    for event in assemble(Corpus.lines) {
      for record in event.records {
        let theirs = Interpreter().meanings(in: record, event)
        let ours = event.fields(of: record).filter { $0.section != .enrichment }
        #expect(theirs.count >= ours.count)
        for field in ours where EncodedFields.contains(event.bytes[field.name], type: record.type) {
          let name = String(decoding: event.bytes[field.name], as: UTF8.self)
          guard field.quoting == .none, name != "proctitle", name != "key",
            let meaning = Interpreter().meaning(of: name, in: record, event)
          else { continue }
          let value = String(decoding: event.decoded(field, of: record), as: UTF8.self)
          #expect(value == meaning)
          compared += 1
        }
      }
    }
    #expect(compared > 20)
  }
}
