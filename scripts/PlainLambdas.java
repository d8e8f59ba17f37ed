import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeElement;
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
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites a jar in place so that its serializable lambdas become plain ones, which an AOT cache accepts. They behave as
 * before, but can no longer be serialized. The same jar always gives the same bytes.
 */
final class PlainLambdas {
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
        if (!name.endsWith(".class") || name.endsWith("module-info.class")) {
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
