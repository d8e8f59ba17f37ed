package io.holdfast.manager.unit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Folders of unit files below a temporary one. */
record Tree(Path root) {
    static final Host HOST =
            new Host(
                    "box.example.org",
                    "0123456789abcdef0123456789abcdef",
                    "fedcba9876543210fedcba9876543210",
                    "6.18.3-test",
                    "x86-64",
                    Map.of("ID", "debian", "VERSION_ID", "13"),
                    "root=/dev/sda1 quiet single",
                    new Virtualization(Virtualization.Kind.VM, "kvm"),
                    false);
    static final ManagerScope SYSTEM = ManagerScope.system(Map.of());

    Tree write(String file, String text) {
        try {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    Tree link(String file, String target) {
        try {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.createSymbolicLink(path, Path.of(target));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** With the folders {@code a}, which wins, and {@code b}. */
    UnitLoader loader() {
        return UnitLoader.scan(new LoadPath(List.of(root.resolve("a"), root.resolve("b"))));
    }

    UnitSource load(String name) {
        return loader().load(UnitName.of(name));
    }

    static Unit read(UnitSource source) {
        return new UnitReader(HOST, SYSTEM).read(source);
    }

    /** A service from the text of its file. */
    static ServiceUnit service(String name, String text) {
        UnitSource source = UnitSource.inMemory(UnitName.of(name), UnitFile.parse("test", text));
        return (ServiceUnit) read(source);
    }

    /** A service from what stands in its {@code [Service]} section besides ExecStart. */
    static ServiceUnit service(String directives) {
        return service("test.service", "[Service]\nExecStart=/bin/true\n" + directives);
    }

    static List<String> messages(Unit unit) {
        return unit.diagnostics().stream().map(Diagnostic::toString).toList();
    }
}
