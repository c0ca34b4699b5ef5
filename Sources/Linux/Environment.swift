import Glibc

/// Variables of this process's environment.
public enum Environment {
  /// What a variable holds; `nil`: it is not set.
  public static func value(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }

  /// Takes a variable out, so that no program that is started from here on takes it for its own.
  public static func take(_ name: String) -> String? {
    defer { unsafe unsetenv(name) }
    return value(name)
  }

  public static func set(_ name: String, _ value: String) { unsafe setenv(name, value, 1) }
}
