package io.holdfast.bus.service;

import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.ServiceFolder;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The services that can be started, by name, and why some files were skipped. If two files offer
 * one name, the folder that comes first wins.
 *
 * @param byName in the order of the folders, and in each in alphabetical order of its files
 * @param skipped one line for each file that describes no service
 */
public record ActivatableServices(Map<String, ServiceFile> byName, List<String> skipped) {
    /**
     * The most services of one bus; the rest is left out, and {@code skipped} names its first file.
     */
    public static final int MAX_SERVICES = 16_384;

    public ActivatableServices {
        byName = Collections.unmodifiableMap(new LinkedHashMap<>(byName));
        skipped = List.copyOf(skipped);
    }

    /**
     * Reads all files of all folders. Missing folders are fine.
     *
     * @param system whether they are for a system bus
     */
    public static ActivatableServices load(List<ServiceFolder> folders, boolean system) {
        Map<String, ServiceFile> byName = new LinkedHashMap<>();
        List<String> skipped = new ArrayList<>();
        for (ServiceFolder folder : folders) {
            List<Path> files = new ArrayList<>();
            try (DirectoryStream<Path> entries =
                    Files.newDirectoryStream(folder.path(), "*.service")) {
                entries.forEach(files::add);
            } catch (NoSuchFileException | NotDirectoryException _) {
                continue;
            } catch (IOException | DirectoryIteratorException e) {
                skipped.add(folder.path() + ": cannot be read: " + e.getMessage());
            }
            files.sort(null);
            for (Path file : files) {
                if (byName.size() == MAX_SERVICES) {
                    skipped.add(file + ": there are " + MAX_SERVICES + " services already");
                    return new ActivatableServices(byName, skipped);
                }
                try {
                    ServiceFile service = ServiceFile.load(file, folder.strict(), system);
                    byName.putIfAbsent(service.name(), service);
                } catch (ConfigException e) {
                    skipped.add(String.valueOf(e.getMessage()));
                }
            }
        }
        return new ActivatableServices(byName, skipped);
    }
}
