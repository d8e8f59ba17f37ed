import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeElement;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.classfile.constantpool.ConstantPoolBuilder;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicCallSiteDesc;
import java.lang.invoke.LambdaMetafactory;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites jars in place, so that an AOT cache accepts their classes and a linked runtime is small. The code behaves as before,
 * except that lambdas cannot be serialized, and the same jar always gives the same bytes.
 *
 * <ul>
 *   <li>Classes older than Java 6 get the version of Java 17, with stack maps, which they do not have.
 *   <li>Serializable lambdas become plain ones.
 *   <li>Modules no longer require java.desktop and java.compiler. Of Rhino, only converters of Java objects, property listeners
 *       and annotation processors use these; a linked runtime is 30 MB smaller without them.
 * </ul>
 */
final class RewriteJar {
    private static final int JAVA_6 = 50;
    private static final int JAVA_17 = 61;
    private static final ClassDesc FACTORY = LambdaMetafactory.class.describeConstable().orElseThrow();
    private static final DirectMethodHandleDesc PLAIN =
            ConstantDescs.ofCallsiteBootstrap(
                    FACTORY,
                    "metafactory",
                    ConstantDescs.CD_CallSite,
                    ConstantDescs.CD_MethodType,
                    ConstantDescs.CD_MethodHandle,
                    ConstantDescs.CD_MethodType);
    private static final int SIGNATURES = 3;
    private static final Set<String> NOT_REQUIRED = Set.of("java.compiler", "java.desktop");

    public static void main(String[] arguments) throws IOException {
        for (String argument : arguments) {
            Path jar = Path.of(argument);
            Path rewritten = jar.resolveSibling(jar.getFileName() + ".new");
            rewrite(jar, rewritten);
            Files.move(rewritten, jar, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void rewrite(Path jar, Path rewritten) throws IOException {
        try (JarFile in = new JarFile(jar.toFile());
                URLClassLoader classes = new URLClassLoader(new URL[] {jar.toUri().toURL()});
                OutputStream file = Files.newOutputStream(rewritten);
                ZipOutputStream out = new ZipOutputStream(file)) {
            ClassFile format =
                    ClassFile.of(
                            ClassHierarchyResolverOption.of(
                                    ClassHierarchyResolver.ofResourceParsing(classes)
                                            .orElse(ClassHierarchyResolver.defaultResolver())
                                            .cached()));
            for (JarEntry entry : (Iterable<JarEntry>) in.stream()::iterator) {
                ZipEntry copy = new ZipEntry(entry.getName());
                copy.setTime(entry.getTime());
                out.putNextEntry(copy);
                try (InputStream content = in.getInputStream(entry)) {
                    out.write(rewritten(format, entry.getName(), content.readAllBytes()));
                }
                out.closeEntry();
            }
        }
    }

    private static byte[] rewritten(ClassFile format, String name, byte[] bytes) {
        if (!name.endsWith(".class")) {
            return bytes;
        }
        ClassModel old = format.parse(bytes);
        if (name.endsWith("module-info.class")) {
            return withFewerRequirements(format, old);
        }
        return old.majorVersion() < JAVA_6 ? raised(format, old) : withPlainLambdas(format, old, bytes);
    }

    private static byte[] raised(ClassFile format, ClassModel old) {
        ClassTransform version =
                (builder, element) -> {
                    if (element instanceof ClassFileVersion) {
                        builder.withVersion(JAVA_17, 0);
                    } else {
                        builder.with((ClassElement) element);
                    }
                };
        // Stack maps are generated only for code whose instructions are written again.
        ClassTransform code = ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
        return format.withOptions(StackMapsOption.GENERATE_STACK_MAPS).transformClass(old, version.andThen(code));
    }

    private static byte[] withPlainLambdas(ClassFile format, ClassModel old, byte[] bytes) {
        boolean[] changed = new boolean[1];
        ClassTransform lambdas =
                ClassTransform.transformingMethodBodies(
                        (builder, element) -> {
                            CodeElement plain = plain(element);
                            changed[0] |= plain != element;
                            builder.with(plain);
                        });
        byte[] transformed = format.transformClass(old, lambdas);
        return changed[0] ? transformed : bytes;
    }

    private static CodeElement plain(CodeElement element) {
        if (!(element instanceof InvokeDynamicInstruction call)
                || !call.bootstrapMethod().owner().equals(FACTORY)
                || !call.bootstrapMethod().methodName().equals("altMetafactory")) {
            return element;
        }
        List<ConstantDesc> arguments = call.bootstrapArgs();
        int flags = (Integer) arguments.get(SIGNATURES);
        boolean hasBridges =
                (flags & LambdaMetafactory.FLAG_BRIDGES) != 0 && (Integer) arguments.getLast() != 0;
        if (hasBridges || (flags & LambdaMetafactory.FLAG_MARKERS) != 0) {
            return element;
        }
        DynamicCallSiteDesc site =
                DynamicCallSiteDesc.of(
                        PLAIN,
                        call.name().stringValue(),
                        call.typeSymbol(),
                        arguments.subList(0, SIGNATURES).toArray(ConstantDesc[]::new));
        return InvokeDynamicInstruction.of(ConstantPoolBuilder.of().invokeDynamicEntry(site));
    }

    private static byte[] withFewerRequirements(ClassFile format, ClassModel old) {
        return format.transformClass(
                old,
                (builder, element) ->
                        builder.with(
                                element instanceof ModuleAttribute module ? withFewerRequirements(module) : element));
    }

    private static ModuleAttribute withFewerRequirements(ModuleAttribute module) {
        return ModuleAttribute.of(
                module.moduleName(),
                module.moduleFlagsMask(),
                module.moduleVersion().orElse(null),
                module.requires().stream()
                        .filter(info -> !NOT_REQUIRED.contains(info.requires().name().stringValue()))
                        .toList(),
                module.exports(),
                module.opens(),
                module.uses(),
                module.provides());
    }
}
