package io.holdfast.core.testkit;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.module.ModuleFinder;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * A program of somebody who compiles it with {@code -Xlint:all -Werror}, and has our classes and
 * what they need to run, but none of the annotations that we have. It gets a warning for each
 * annotation with a value in a class that it uses, so public classes say in comments what guards
 * their fields.
 */
public final class StrictConsumer {
    private static final Path MODULE_INFO = Path.of("src", "main", "java", "module-info.java");
    private static final Pattern EXPORTED = Pattern.compile("exports ([a-z0-9.]+);");
    private static final Pattern OURS = Pattern.compile("(io\\.holdfast(?:\\.[a-z0-9]+)*)\\.[A-Z]");
    private static final Pattern MODULE = Pattern.compile("module ([a-z0-9.]+) \\{");

    private StrictConsumer() {}

    /**
     * Compiles sources on the class path.
     *
     * @param folder for the classes
     * @param libraries a class of each module that the program has
     * @param sources by the paths of their files
     * @return what the compiler says; empty if it is content
     */
    public static String complaints(
            Path folder, List<Class<?>> libraries, Map<String, String> sources) {
        return complaints(folder, "-cp", libraries, sources);
    }

    /**
     * Compiles a module that requires the module of this test, on the module path.
     *
     * @param folder for the classes
     * @param libraries a class of each module that the program has; that of this test first
     * @param sources by the paths of their files
     * @return what the compiler says; empty if it is content
     */
    public static String complaintsOfModule(
            Path folder, List<Class<?>> libraries, Map<String, String> sources) throws IOException {
        Matcher module = MODULE.matcher(Files.readString(MODULE_INFO));
        if (!module.find()) {
            throw new IllegalStateException(MODULE_INFO + " has no name");
        }
        Map<String, String> all = new HashMap<>(sources);
        all.put("module-info.java", "module consumer { requires " + module.group(1) + "; }");
        return complaints(folder, "-p", libraries, all);
    }

    private static String complaints(
            Path folder, String pathOption, List<Class<?>> libraries, Map<String, String> sources) {
        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
        List<String> options =
                List.of(
                        "-Xlint:all",
                        "-Werror",
                        "-parameters",
                        "-proc:none",
                        "-d",
                        folder.toString(),
                        pathOption,
                        libraries.stream()
                                .map(type -> placeOf(type).toString())
                                .collect(Collectors.joining(":")));
        StringWriter output = new StringWriter();
        List<JavaFileObject> files = new ArrayList<>();
        sources.forEach((path, text) -> files.add(new Source(path, text)));
        boolean _ = compiler.getTask(output, null, null, options, null, files).call();
        return output.toString();
    }

    /**
     * Compiles a module with a class that uses every public class that the module of this test
     * exports.
     *
     * @param folder for the classes
     * @param libraries a class of each module that the program has; that of this test first
     * @return what the compiler says; empty if it is content
     */
    public static String complaintsAboutAll(Path folder, Class<?>... libraries) throws Exception {
        StringBuilder source = new StringBuilder("package consumer;\n\nclass Consumer {\n");
        List<Class<?>> types = exportedTypes(libraries[0]);
        for (int i = 0; i < types.size(); i++) {
            String name = types.get(i).getCanonicalName();
            String arguments = types.get(i).getTypeParameters().length == 0 ? "" : "<?>";
            source.append("    String of%d(%s%s value) {\n".formatted(i, name, arguments));
            source.append("        return value.toString();\n    }\n");
        }
        source.append("}\n");
        return complaintsOfModule(
                folder, List.of(libraries), Map.of("consumer/Consumer.java", source.toString()));
    }

    /**
     * Finds what the compiler's lint "exports" finds, except the annotations, whose jars users do
     * not need: types in the signatures of exported classes that users cannot name.
     *
     * @param libraries a class of each of our modules that the module of this test requires; one of
     *     itself first
     * @return the members with such types
     */
    public static List<String> hiddenTypes(Class<?>... libraries) throws Exception {
        Set<String> exported = new HashSet<>();
        for (Class<?> library : libraries) {
            ModuleFinder.of(placeOf(library)).findAll().stream()
                    .flatMap(module -> module.descriptor().exports().stream())
                    .filter(exports -> !exports.isQualified())
                    .forEach(exports -> exported.add(exports.source()));
        }
        return exportedTypes(libraries[0]).stream()
                .flatMap(StrictConsumer::signatures)
                .filter(signature ->
                        OURS.matcher(signature)
                                .results()
                                .anyMatch(type -> !exported.contains(type.group(1))))
                .toList();
    }

    private static Stream<String> signatures(Class<?> type) {
        Stream<String> members =
                Stream.of(
                                Arrays.stream(type.getDeclaredConstructors()),
                                Arrays.stream(type.getDeclaredMethods()),
                                Arrays.stream(type.getDeclaredFields()))
                        .flatMap(each -> each)
                        .filter(member -> isVisible(((Member) member).getModifiers()))
                        .map(StrictConsumer::generic);
        Stream<String> nested =
                Arrays.stream(type.getDeclaredClasses())
                        .filter(inner -> isVisible(inner.getModifiers()))
                        .flatMap(StrictConsumer::signatures);
        return Stream.concat(members, nested);
    }

    private static boolean isVisible(int modifiers) {
        return (modifiers & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0;
    }

    private static String generic(Object member) {
        return switch (member) {
            case Executable executable -> executable.toGenericString();
            case Field field -> field.toGenericString();
            default -> throw new IllegalArgumentException(member.toString());
        };
    }

    static List<Class<?>> exportedTypes(Class<?> one) throws Exception {
        List<String> packages =
                EXPORTED.matcher(Files.readString(MODULE_INFO))
                        .results()
                        .map(found -> found.group(1))
                        .toList();
        List<Class<?>> types = new ArrayList<>();
        for (String name : packages) {
            for (String simple : classesIn(placeOf(one).resolve(name.replace('.', '/')))) {
                Class<?> type = Class.forName(name + "." + simple, false, one.getClassLoader());
                if (isPublic(type)) {
                    types.add(type);
                }
            }
        }
        if (types.isEmpty()) {
            throw new IllegalStateException(MODULE_INFO + " exports nothing");
        }
        return types;
    }

    private static List<String> classesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.equals("package-info.class"))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .sorted()
                    .toList();
        }
    }

    private static boolean isPublic(Class<?> type) {
        return Modifier.isPublic(type.getModifiers())
                && !type.isAnonymousClass()
                && !type.isLocalClass()
                && (type.getDeclaringClass() == null || isPublic(type.getDeclaringClass()));
    }

    private static Path placeOf(Class<?> type) {
        return Path.of(
                URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String path, String text) {
            super(URI.create("string:///" + path), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
