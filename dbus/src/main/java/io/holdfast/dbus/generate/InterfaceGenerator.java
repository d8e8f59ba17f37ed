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
 * Generates Java interfaces for the package {@code io.holdfast.dbus.typed}: a file for each D-Bus
 * interface, which depends only on the XML and compiles without a warning.
 *
 * <pre>{@code
 * for (SourceFile file : InterfaceGenerator.generate(interfaces, "com.example.clock")) {
 *     Files.writeString(folder.resolve(file.path()), file.text());
 * }
 * }</pre>
 *
 * <p>{@code org.example.Clock} becomes {@code Clock} in the package {@code org.example}, or in the
 * requested package; if two interfaces of one package have the same last word, the later one gets
 * the word before it too. A method or a property has its D-Bus name with a lower-case first letter;
 * a property with the name of a method gets the suffix {@code Property}. A signal is a nested
 * record with its name. Structs are nested records, named after their place, as are several
 * outputs; members of structs have no names in D-Bus, and are {@code member1}, {@code member2} and
 * so on. A name that is reserved in Java ({@code import}, {@code notify}) or used already gets an
 * underscore behind it. Where the D-Bus name does not follow from the Java name, {@code @DBusName}
 * gives it. Properties with descriptors are left out.
 */
public final class InterfaceGenerator {
    private InterfaceGenerator() {}

    /**
     * Generates interfaces in the packages that their names give.
     *
     * @param interfaces the interfaces to write
     * @return a file for each, ordered by package
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
     * Generates interfaces in one package.
     *
     * @param interfaces the interfaces to write
     * @return a file for each, in their order
     * @throws IllegalArgumentException if that is no valid package name
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

    /** Returns the last word, with as many words before it as make it unique. */
    private static String typeName(String interfaceName, Set<String> taken) {
        String[] words = interfaceName.split("\\.");
        String name = "";
        for (int i = words.length - 1; i >= 0; i--) {
            name = JavaNames.type(words[i]) + name;
            // On file systems that ignore case, Clock.java and clock.java are one file.
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
