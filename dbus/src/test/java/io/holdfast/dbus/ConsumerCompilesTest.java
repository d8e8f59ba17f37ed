package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.generate.SourceFile;
import io.holdfast.dbus.testkit.CompiledSources;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program that compiles strictly, and has nothing but our jars, can use every public class. */
@SameOnEveryKernel
class ConsumerCompilesTest {
    private static final List<String> PACKAGES =
            List.of("io.holdfast.dbus", "io.holdfast.dbus.typed", "io.holdfast.dbus.wire");

    @TempDir Path folder;

    @Test
    void everyPublicClassCanBeUsedWithoutAWarning() throws Exception {
        StringBuilder source = new StringBuilder("package consumer;\n\nclass Consumer {\n");
        int types = 0;
        for (Class<?> type : publicTypes()) {
            String name = type.getCanonicalName();
            source.append("    String of" + types++ + "(" + name + arguments(type) + " value) {\n");
            source.append("        return value.toString();\n    }\n");
        }
        source.append("}\n");
        assertThat(types).isGreaterThan(30);
        assertThat(
                        CompiledSources.complaints(
                                folder,
                                List.of(
                                        new SourceFile(
                                                "consumer/Consumer.java", source.toString()))))
                .isEmpty();
    }

    private static String arguments(Class<?> type) {
        return type.getTypeParameters().length == 0 ? "" : "<?>";
    }

    private static List<Class<?>> publicTypes() throws Exception {
        Path root =
                Path.of(
                        BusConnection.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        List<Class<?>> types = new ArrayList<>();
        for (String name : PACKAGES) {
            Path files = root.resolve(name.replace('.', '/'));
            try (Stream<Path> all = Files.list(files)) {
                for (Path file : all.sorted().toList()) {
                    String simple = file.getFileName().toString().replaceFirst("\\.class$", "");
                    if (Files.isRegularFile(file) && !simple.equals("package-info")) {
                        Class<?> type =
                                Class.forName(
                                        name + "." + simple,
                                        false,
                                        BusConnection.class.getClassLoader());
                        if (isPublic(type)) {
                            types.add(type);
                        }
                    }
                }
            }
        }
        return types;
    }

    private static boolean isPublic(Class<?> type) {
        return Modifier.isPublic(type.getModifiers())
                && !type.isAnonymousClass()
                && (type.getDeclaringClass() == null || isPublic(type.getDeclaringClass()));
    }
}
