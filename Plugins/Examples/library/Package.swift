// swift-tools-version: 6.2
// The library for plugins, installed beside audispatch: see audispatch-plugin(7).
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "audispatch",
  products: [
    .library(
      name: "AudispatchPlugin",
      targets: ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"])
  ],
  targets: [
    .systemLibrary(name: "CAudit", pkgConfig: "audit", providers: [.apt(["libaudit-dev"])]),
    .systemLibrary(name: "CAuparse", pkgConfig: "auparse", providers: [.apt(["libauparse-dev"])]),
    .target(name: "CAudispatch", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "Linux", dependencies: ["CAudispatch"], swiftSettings: settings),
    .target(name: "AuditRecord", dependencies: ["CAudit"], swiftSettings: settings),
    .target(name: "Configuration", dependencies: ["Linux"], swiftSettings: settings),
    .target(
      name: "AudispatchPlugin",
      dependencies: ["AuditRecord", "CAudit", "CAuparse", "Configuration", "Linux"],
      swiftSettings: settings),
  ]
)
