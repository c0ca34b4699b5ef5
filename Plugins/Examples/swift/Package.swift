// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "watch",
  dependencies: [.package(name: "audispatch", path: "../../..")],
  targets: [
    .executableTarget(
      name: "watch",
      dependencies: [.product(name: "AudispatchPlugin", package: "audispatch")], path: "Sources")
  ]
)
