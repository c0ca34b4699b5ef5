import Linux

/// What it takes to make a change: which calls can have changed each attribute that differs.
struct ChangeCauses: Equatable {
  /// Of a file that stays the same one.
  private(set) var attributes: [AttributeSet: CallEffect] = [:]
  /// Of the file as a whole.
  private(set) var wanted: CallEffect

  /// Flags that chattr(1) shows and the kernel sets by itself, as a file or a folder is written.
  private static let kernelsFlags: UInt32 = 0x1044_1000
  private static let verityFlag: UInt32 = 0x10_0000
  private static let encryptedFlag: UInt32 = 0x800
  private static let extentsFlag: UInt32 = 0x8_0000

  init(_ subject: Subject) {
    guard subject.isSameFile else {
      wanted = Self.ofAnother(subject.change)
      return
    }
    let change = subject.change
    // The time of the last change says nothing where anything else does.
    let differing =
      change.attributes == .changed ? change.attributes : change.attributes.subtracting(.changed)
    for (_, attribute) in AttributeSet.names where differing.contains(attribute) {
      attributes[attribute] = Self.causes(of: attribute, change)
    }
    wanted = attributes.values.reduce(into: []) { $0.formUnion($1) }
  }

  /// Those of the attributes that nothing explains of what was done to the file.
  func unexplained(by effects: CallEffect) -> AttributeSet {
    attributes.filter { $0.value.isDisjoint(with: effects) }.keys.reduce(into: []) {
      $0.formUnion($1)
    }
  }

  /// A file that has come to the name can have been made so, but for what is set afterwards by its
  /// descriptor alone.
  private static func ofAnother(_ change: StateChange) -> CallEffect {
    var wanted = CallEffect.all.subtracting(.unnamed)
    guard let after = change.after else { return wanted }
    let own = kernelsFlags | verityFlag | encryptedFlag | extentsFlag
    if (after.flags ?? 0) & ~own != 0 { wanted.insert(.flags) }
    if after.verity != nil { wanted.insert(.verity) }
    return wanted
  }

  private static func causes(of attribute: AttributeSet, _ change: StateChange) -> CallEffect {
    let writing: CallEffect = [.content, .opening]
    // A folder is written by its entries.
    let filling: CallEffect = change.after?.type == .dir ? .names : writing
    return switch attribute {
    case .size, .sha256, .sha512, .blake2b, .growing: filling
    case .modified: filling.union(.times)
    // Writing and a new owner take the set-user-ID bit and capabilities away; the mode and an access
    // list have parts of each other.
    case .mode:
      losesRights(change) ? writing.union([.mode, .owner, .extended]) : [.mode, .extended]
    case .capabilities:
      change.after?.capabilities == nil ? writing.union([.owner, .extended]) : .extended
    case .accessControl:
      change.before?.accessList == nil || change.after?.accessList == nil
        ? .extended : [.mode, .extended]
    case .user, .group: .owner
    case .label: .extended
    case .extended: isOfKernel(change) ? .all : .extended
    case .flags: flags(change, filling)
    case .verity: .verity
    case .links: .names
    default: .all
    }
  }

  /// Whether all that differs of the mode is that set-user-ID and set-group-ID bits are gone.
  private static func losesRights(_ change: StateChange) -> Bool {
    guard let before = change.before?.facts.mode, let after = change.after?.facts.mode else {
      return false
    }
    return before & after == after && (before ^ after) & ~0o6000 == 0
  }

  private static func flags(_ change: StateChange, _ filling: CallEffect) -> CallEffect {
    let differing = (change.before?.flags ?? 0) ^ (change.after?.flags ?? 0)
    if differing & ~kernelsFlags == 0 { return filling.union(.flags) }
    return differing & ~(kernelsFlags | verityFlag) == 0 ? .verity : .flags
  }

  /// Whether only what the kernel's integrity measurement keeps of the content and of attributes differs.
  private static func isOfKernel(_ change: StateChange) -> Bool {
    func others(_ state: FileState?) -> [FileState.ExtendedAttribute] {
      (state?.extended ?? []).filter {
        !$0.name.elementsEqual("security.ima".utf8) && !$0.name.elementsEqual("security.evm".utf8)
      }
    }
    return others(change.before) == others(change.after)
  }
}
