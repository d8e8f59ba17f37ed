import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassHierarchyResolver;
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
 * Rewrites Rhino's jar in place. Its serializable lambdas become plain ones, which an AOT cache accepts; they behave as before,
 * but can no longer be serialized. Its module no longer requires java.desktop and java.compiler, which only converters of Java
 * objects, property listeners and annotation processors use: a linked runtime is 30 MB smaller without them. The same jar always
 * gives the same bytes.
 */
final class RewriteRhino {
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
        Path jar = Path.of(arguments[0]);
        Path plain = jar.resolveSibling(jar.getFileName() + ".new");
        try (JarFile in = new JarFile(jar.toFile());
                URLClassLoader classes = new URLClassLoader(new URL[] {jar.toUri().toURL()});
                OutputStream file = Files.newOutputStream(plain);
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
                out.write(plain(format, entry.getName(), read(in, entry)));
                out.closeEntry();
            }
        }
        Files.move(plain, jar, StandardCopyOption.REPLACE_EXISTING);
    }

    private static byte[] read(JarFile jar, JarEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }

    private static byte[] plain(ClassFile format, String name, byte[] bytes) {
        if (name.endsWith("module-info.class")) {
            return withFewerRequirements(bytes);
        }
        if (!name.endsWith(".class")) {
            return bytes;
        }
        boolean[] changed = new boolean[1];
        ClassTransform lambdas =
                ClassTransform.transformingMethodBodies(
                        (builder, element) -> {
                            CodeElement plain = plain(element);
                            changed[0] |= plain != element;
                            builder.with(plain);
                        });
        byte[] transformed = format.transformClass(format.parse(bytes), lambdas);
        return changed[0] ? transformed : bytes;
    }

    private static byte[] withFewerRequirements(byte[] moduleInfo) {
        ClassFile format = ClassFile.of();
        return format.transformClass(
                format.parse(moduleInfo),
                (builder, element) ->
                        builder.with(
                                element instanceof ModuleAttribute module
                                        ? withFewerRequirements(module)
                                        : element));
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
        return InvokeDynamicInstruction.of(
                ConstantPoolBuilder.of().invokeDynamicEntry(site));
    }
}
