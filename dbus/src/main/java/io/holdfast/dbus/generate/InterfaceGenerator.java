package io.holdfast.dbus.generate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes Java interfaces for the package {@code io.holdfast.dbus.typed}: a file for each D-Bus
 * interface, the same for the same XML, which compiles without a warning.
 *
 * <pre>{@code
 * for (SourceFile file : InterfaceGenerator.generate(interfaces, "com.example.clock")) {
 *     Files.writeString(folder.resolve(file.path()), file.text());
 * }
 * }</pre>
 *
 * <p>{@code org.example.Clock} becomes {@code Clock} in the package {@code org.example}, or in the
 * one that is asked for; two of one package with the same last word get the word before it too. A
 * method, and a property, has its name with a small first letter, a property that has the name of a
 * method with {@code Property} behind it. A signal is a nested record with its name. Structs are
 * nested records, called after where they stand, as are several outputs; members of structs have no
 * names in D-Bus, and are {@code member1}, {@code member2} and so on. A name that Java keeps for
 * itself ({@code import}, {@code notify}), or that is taken, has an underscore behind it. Wherever
 * the name of D-Bus does not follow from the one of Java {@code @DBusName} says it. Properties with
 * descriptors are left out.
 */
public final class InterfaceGenerator {
    private InterfaceGenerator() {}

    /**
     * Writes interfaces into the packages that their names say.
     *
     * @param interfaces what to write
     * @return a file for each, in their order
     */
    public static List<SourceFile> generate(Collection<IntrospectedInterface> interfaces) {
        Map<String, List<IntrospectedInterface>> byPackage = new TreeMap<>();
        for (IntrospectedInterface each : interfaces) {
            byPackage
                    .computeIfAbsent(JavaNames.packageOf(each.name()), _ -> new ArrayList<>())
                    .add(each);
        }
        List<SourceFile> files = new ArrayList<>();
        byPackage.forEach((name, all) -> files.addAll(generate(all, name)));
        return files;
    }

    /**
     * Writes interfaces into one package.
     *
     * @param interfaces what to write
     * @param packageName the name of the package
     * @return a file for each, in their order
     * @throws IllegalArgumentException if that can be no name of a package
     */
    public static List<SourceFile> generate(
            Collection<IntrospectedInterface> interfaces, String packageName) {
        if (!JavaNames.isPackage(packageName)) {
            throw new IllegalArgumentException("not the name of a package: " + packageName);
        }
        List<SourceFile> files = new ArrayList<>();
        Set<String> taken = new HashSet<>();
        for (IntrospectedInterface each : interfaces) {
            String name = typeName(each.name(), taken);
            files.add(
                    new SourceFile(
                            packageName.replace('.', '/') + "/" + name + ".java",
                            new InterfaceSource(each, packageName, name).text()));
        }
        return files;
    }

    /** The last word, with as many before it as make it another one than those before. */
    private static String typeName(String interfaceName, Set<String> taken) {
        String[] words = interfaceName.split("\\.");
        String name = "";
        for (int i = words.length - 1; i >= 0; i--) {
            name = JavaNames.type(words[i]) + name;
            // File systems exist where Clock.java and clock.java are one.
            if (!InterfaceSource.MENTIONED.contains(name)
                    && taken.add(name.toLowerCase(Locale.ROOT))) {
                return name;
            }
        }
        while (!taken.add(name.toLowerCase(Locale.ROOT))) {
            name += "_";
        }
        return name;
    }
}
