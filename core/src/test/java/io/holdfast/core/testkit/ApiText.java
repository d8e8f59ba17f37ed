package io.holdfast.core.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The API of a module as text: the public types of the exported packages and their public and
 * protected members, with the number of both. It is kept in the folder {@code api}, so that a
 * review sees what a change adds to the API and takes from it.
 */
public final class ApiText {
    private static final Path FOLDER = Path.of("..", "api");

    /** Methods that every class has, and those that every enum has. */
    private static final Set<String> EVERYWHERE = Set.of("equals", "hashCode", "toString");

    /** A top-level class in the text, after its modifiers. */
    private static final Pattern TYPE =
            Pattern.compile(
                    "^(?:(?:sealed|final|abstract) )*(?:class|interface|record|enum|annotation) (\\w+)(?![.\\w])",
                    Pattern.MULTILINE);

    private static final Set<String> OF_ENUMS = Set.of("values", "valueOf");

    private final StringBuilder text = new StringBuilder();
    private int types;
    private int methods;

    private ApiText() {}

    /**
     * Requires that the text in {@code api} is that of the compiled classes; writes it instead if
     * the property {@code holdfast.api.write} is set, as {@code scripts/api} does.
     *
     * @param one a class of the module of this test
     */
    public static void requireCurrent(Class<?> one) throws Exception {
        Path file =
                FOLDER.resolve("holdfast-" + Path.of("").toAbsolutePath().getFileName() + ".txt");
        String current = new ApiText().of(StrictConsumer.exportedTypes(one));
        if (Boolean.getBoolean("holdfast.api.write")) {
            Files.writeString(file, current);
        }
        assertThat(current)
                .as("%s is not the API of this tree; if the change is meant: scripts/api", file)
                .isEqualTo(read(file));
    }

    /**
     * Returns the names that two of the API's top-level classes have, or one that {@code java.lang}
     * or {@code java.util} has, too: no program can import both.
     */
    public static List<String> ambiguousNames() throws IOException {
        Set<String> seen = new HashSet<>();
        List<String> ambiguous = new ArrayList<>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file : files.toList()) {
                TYPE.matcher(Files.readString(file))
                        .results()
                        .map(found -> found.group(1))
                        .filter(name -> !seen.add(name) || isInJava(name))
                        .forEach(ambiguous::add);
            }
        }
        assertThat(seen).contains("Fd", "BusConnection", "VarlinkClient", "Authority");
        return ambiguous;
    }

    private static boolean isInJava(String name) {
        return Stream.of("java.lang.", "java.util.")
                .anyMatch(place ->
                        Object.class.getResource("/" + (place + name).replace('.', '/') + ".class")
                                != null);
    }

    private static String read(Path file) throws IOException {
        return Files.exists(file) ? Files.readString(file) : "";
    }

    private String of(List<Class<?>> exported) {
        String name = "";
        for (Class<?> type : exported) {
            if (!type.getPackageName().equals(name)) {
                name = type.getPackageName();
                text.append("\npackage ").append(name).append("\n");
            }
            if (type.getDeclaringClass() == null) {
                add(type);
            }
        }
        return types + " types, " + methods + " methods and constructors\n" + text;
    }

    private void add(Class<?> type) {
        types++;
        text.append('\n').append(heading(type)).append('\n');
        List<String> lines = new ArrayList<>();
        for (Field field : type.getDeclaredFields()) {
            if (isVisible(field.getModifiers()) && !field.isSynthetic()) {
                lines.add(constant(field));
            }
        }
        lines.sort(Comparator.naturalOrder());
        List<String> calls = new ArrayList<>();
        for (Constructor<?> made : type.getDeclaredConstructors()) {
            if (isVisible(made.getModifiers()) && !made.isSynthetic()) {
                calls.add(made.toGenericString());
            }
        }
        for (Method method : type.getDeclaredMethods()) {
            if (isVisible(method.getModifiers())
                    && !method.isSynthetic()
                    && !EVERYWHERE.contains(method.getName())
                    && !(type.isEnum() && OF_ENUMS.contains(method.getName()))) {
                calls.add(
                        method.toGenericString()
                                .replace(
                                        type.getTypeName() + "." + method.getName() + "(",
                                        method.getName() + "("));
            }
        }
        calls.sort(Comparator.naturalOrder());
        methods += calls.size();
        Stream.concat(lines.stream(), calls.stream())
                .forEach(line -> text.append("    ").append(plain(line)).append('\n'));
        Arrays.stream(type.getDeclaredClasses())
                .filter(nested -> isVisible(nested.getModifiers()))
                .sorted(Comparator.comparing(Class::getName))
                .forEach(this::add);
    }

    private static String heading(Class<?> type) {
        String kind =
                type.isAnnotation()
                        ? "annotation"
                        : type.isInterface()
                                ? "interface"
                                : type.isEnum() ? "enum" : type.isRecord() ? "record" : "class";
        String components =
                type.isRecord()
                        ? Arrays.stream(type.getRecordComponents())
                                .map(ApiText::component)
                                .collect(Collectors.joining(", ", "(", ")"))
                        : "";
        String parents =
                Stream.concat(
                                Stream.ofNullable(type.getGenericSuperclass())
                                        .filter(parent -> !type.isEnum() && !type.isRecord())
                                        .filter(parent -> parent != Object.class),
                                Arrays.stream(type.getGenericInterfaces()))
                        .map(Type::getTypeName)
                        .collect(Collectors.joining(", "));
        String modifiers =
                (type.isSealed() ? "sealed " : "")
                        + (Modifier.isFinal(type.getModifiers()) && kind.equals("class")
                                ? "final "
                                : "")
                        + (Modifier.isAbstract(type.getModifiers()) && kind.equals("class")
                                ? "abstract "
                                : "");
        String name =
                type.getName().substring(type.getPackageName().length() + 1).replace('$', '.');
        String parameters =
                type.getTypeParameters().length == 0
                        ? ""
                        : Arrays.toString(type.getTypeParameters())
                                .replace('[', '<')
                                .replace(']', '>');
        return modifiers
                + kind
                + " "
                + name
                + parameters
                + components
                + (parents.isEmpty() ? "" : plain(" extends " + parents));
    }

    private static String component(RecordComponent component) {
        return plain(component.getGenericType().getTypeName()) + " " + component.getName();
    }

    private static String constant(Field field) {
        String line = field.toGenericString();
        return line.replace(
                field.getDeclaringClass().getTypeName() + "." + field.getName(), field.getName());
    }

    /** Leaves out what a reader knows: public, and the packages that every program imports. */
    private static String plain(String line) {
        return line.replaceAll("\\bpublic |\\bsynchronized |\\bfinal |\\bnative ", "")
                .replaceAll(
                        "\\bjava\\.(?:lang|util|time|io|nio\\.file)\\.(?:function\\.|concurrent\\.|stream\\.)?(?=[A-Z])",
                        "")
                .replaceAll("\\bio\\.holdfast\\.[a-z0-9.]+\\.(?=[A-Z])", "")
                .replace('$', '.');
    }

    private static boolean isVisible(int modifiers) {
        return (modifiers & (Modifier.PUBLIC | Modifier.PROTECTED)) != 0;
    }
}
