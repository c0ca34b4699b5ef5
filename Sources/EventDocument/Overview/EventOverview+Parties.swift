import AudispatchPlugin
import AuditRecord

/// Whom an event is about beside the one who acts: accounts, groups, and the other end of a
/// connection.
extension EventOverview {
  /// What a message of user space is about. `acct` is a group's in records about groups, unless a
  /// group is named beside it; `id` is one's in some of them (`AccountFields`), else the account's.
  mutating func takeAccounts(
    _ event: AuditEvent, _ facts: EventFacts, _ people: inout PersonFinder
  ) {
    guard let record = event.records.first else { return }
    let named = facts.field("acct")
    group.name = facts.field("grp") ?? facts.field("new_group") ?? facts.field("new-group")
    for name: StaticString in ["new_gid", "new-gid"] where group.id == nil {
      let party = people.party(name, facts)
      group.id = party.id
      group.name = group.name ?? party.name
    }
    if Self.isAboutGroup(record.type), !group.isKnown {
      group.name = named
    } else {
      account.name = named
    }
    if account.name == nil, Self.isAboutLogins(record.type) {
      account = people.party("suid", facts)
    }
    let isGroup = AccountFields.isGroup("id", in: record.type)
    // What auditd added to it is no name of the process's own users and groups.
    let added = event.enrichment("ID", of: record).map { Text($0.value) }
    let person = people.person(
      facts.data.value("id", facts.text), named: added, isGroup, facts.text)
    let party = people.bytes(person, facts)
    guard party.id != nil else { return }
    if isGroup {
      group = Party(id: party.id, name: group.name ?? party.name)
    } else {
      account = Party(id: party.id, name: account.name ?? party.name)
    }
  }

  /// Who somebody is from now on: that account is no one's who acts.
  mutating func takeLogin(_ facts: EventFacts, _ people: inout PersonFinder) {
    func first(_ names: [StaticString]) -> Party {
      for name in names {
        let party = people.party(name, facts)
        if party.isKnown { return party }
      }
      return Party()
    }
    login = first(["old-auid", "old_auid"])
    account = first(["auid", "new_auid"])
  }

  /// The two ends of a packet that netfilter noted.
  mutating func takePacket(_ facts: EventFacts) {
    func end(_ address: StaticString, _ port: StaticString) -> NetworkEnd? {
      facts.field(address).flatMap { NetworkAddress($0) }.map {
        NetworkEnd(address: $0, port: Self.port(facts.field(port)))
      }
    }
    source = end("saddr", "sport")
    target = end("daddr", "dport")
  }

  /// Too many logins, and what is done about it: pam_faillock names the account as `suid`.
  private static func isAboutLogins(_ type: RecordType) -> Bool {
    (2100..<2300).contains(type.rawValue)
  }

  /// Records that are about a group.
  private static func isAboutGroup(_ type: RecordType) -> Bool {
    switch type.rawValue {
    // ADD_GROUP, DEL_GROUP, GRP_AUTH, CHGRP_ID, GRP_MGMT, GRP_CHAUTHTOK
    case 1116, 1117, 1126, 1119, 1132, 1133: true
    default: false
    }
  }

  /// Where a program says that a user comes from.
  mutating func takeRemote(_ facts: EventFacts) {
    let host = facts.field("hostname")
    // The table may have taken the address.
    let named = [facts.bytes(facts.source?.ip), facts.field("addr"), facts.field("raddr"), host]
    let address = named.lazy.compactMap { $0.flatMap { NetworkAddress($0) } }.first
    source = address.map { NetworkEnd(address: $0, port: Self.port(facts.field("rport"))) }
    if let host, NetworkAddress(host) == nil { sourceHost = host }
    if let local = facts.field("laddr").flatMap({ NetworkAddress($0) }) {
      target = NetworkEnd(address: local, port: Self.port(facts.field("lport")))
    }
  }

  /// The address that a system call was given or gave.
  mutating func takeSocket(_ facts: EventFacts) {
    if facts.data.value("socket_family", facts.text).map({ facts.text.has($0, "unix") }) == true,
      let name = facts.field("socket_path")
    {
      path = name
    }
    guard let address = facts.field("socket_addr").flatMap({ NetworkAddress($0) }) else { return }
    let end = NetworkEnd(address: address, port: Self.port(facts.field("socket_port")))
    switch SocketCall(facts) {
    case .fromPeer: source = end
    case .local: bound = end
    case .toPeer: target = end
    }
  }

  private static func port(_ digits: [UInt8]?) -> UInt16? {
    digits.flatMap { UInt16(String(decoding: $0, as: UTF8.self)) }
  }
}

/// Whose address a SOCKADDR record holds, by the system call of its event.
private enum SocketCall {
  /// Of the one who connected to us or sent to us.
  case fromPeer
  /// Our own.
  case local
  case toPeer

  init(_ facts: EventFacts) {
    guard let call = EffectiveCall.name(facts) else {
      self = .toPeer
      return
    }
    let own = ["bind", "getsockname", "listen"]
    if own.contains(where: { call.elementsEqual($0.utf8) }) {
      self = .local
    } else {
      self = facts.direction == .ingress ? .fromPeer : .toPeer
    }
  }
}
