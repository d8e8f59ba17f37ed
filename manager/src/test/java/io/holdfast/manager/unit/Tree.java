package io.holdfast.manager.unit;

import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Virtualization;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A tree of folders with unit files, in a temporary folder. */
public record Tree(Path root) {
    public static final Host HOST =
            new Host(
                    "box.example.org",
                    "The Box",
                    "0123456789abcdef0123456789abcdef",
                    "fedcba9876543210fedcba9876543210",
                    "6.18.3-test",
                    "x86-64",
                    Map.of("ID", "debian", "VERSION_ID", "13"),
                    "root=/dev/sda1 quiet single",
                    new Virtualization(Virtualization.Kind.VM, "kvm"),
                    Set.of());
    public static final ManagerScope SYSTEM = ManagerScope.system(Map.of());

    public Tree write(String file, String text) {
        try {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    public Tree link(String file, String target) {
        try {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.createSymbolicLink(path, Path.of(target));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Returns a loader for the folders {@code a}, which takes precedence, and {@code b}. */
    public UnitLoader loader() {
        return UnitLoader.scan(new LoadPath(List.of(root.resolve("a"), root.resolve("b"))));
    }

    public UnitSource load(String name) {
        return loader().load(UnitName.of(name));
    }

    public static Unit read(UnitSource source) {
        return new UnitReader(HOST, SYSTEM).read(source);
    }

    /** Returns a service from the text of its file. */
    public static ServiceUnit service(String name, String text) {
        UnitSource source = UnitSource.inMemory(UnitName.of(name), UnitFile.parse("test", text));
        return (ServiceUnit) read(source);
    }

    /** Returns a service from the lines of its {@code [Service]} section besides ExecStart. */
    public static ServiceUnit service(String directives) {
        return service("test.service", "[Service]\nExecStart=/bin/true\n" + directives);
    }

    public static List<String> messages(Unit unit) {
        return unit.diagnostics().stream().map(Diagnostic::toString).toList();
    }
}
