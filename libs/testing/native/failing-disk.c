// Stands between a process and its C library (LD_PRELOAD) and has writes and syncs below one folder fail, as a shared file says.
// So SQLite, which does its own I/O, meets a failing disk. See failing-disk.ts.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The shared file: as in failing-disk.ts.
struct plan {
  int32_t write_errno;  // 0: writes succeed
  int32_t writes_left;  // so many still do
  int32_t sync_errno;   // 0: syncs succeed
  int32_t syncs_left;   // so many still do; after the one that fails, all do
  int32_t short_permille;  // of writes that write a part
  int32_t failed;       // how many calls have failed
};

static volatile struct plan *plan;
static const char *folder;
static uint32_t dice = 1;

__attribute__((constructor)) static void open_plan(void) {
  const char *path = getenv("FAILING_DISK_PLAN");
  folder = getenv("FAILING_DISK_FOLDER");
  if (path == NULL || folder == NULL) return;
  int file = open(path, O_RDWR);
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (shared != MAP_FAILED) plan = shared;
}

static int is_below(int file) {
  if (plan == NULL) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

// Returns how many bytes to write, or -1 with errno set.
static ssize_t allowed(int file, size_t count) {
  if (!is_below(file)) return (ssize_t)count;
  int code = plan->write_errno;
  if (code != 0 && plan->writes_left-- <= 0) {
    plan->failed++;
    errno = code;
    return -1;
  }
  dice = dice * 1664525u + 1013904223u;
  if (count > 1 && (int32_t)((dice >> 8) % 1000) < plan->short_permille) {
    plan->failed++;
    return 1 + (dice >> 8) % (count - 1);
  }
  return (ssize_t)count;
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int file, const void *bytes, size_t count) {
  ssize_t length = allowed(file, count);
  return length < 0 ? -1 : REAL("write", ssize_t (*)(int, const void *, size_t))(file, bytes, length);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  ssize_t length = allowed(file, count);
  return length < 0 ? -1 : REAL("pwrite", ssize_t (*)(int, const void *, size_t, off_t))(file, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
  ssize_t length = allowed(file, count);
  return length < 0 ? -1 : REAL("pwrite64", ssize_t (*)(int, const void *, size_t, off64_t))(file, bytes, length, at);
}

static int sync_fails(int file) {
  if (!is_below(file)) return 0;
  int code = plan->sync_errno;
  if (code == 0 || plan->syncs_left-- > 0) return 0;
  plan->sync_errno = 0;
  plan->failed++;
  errno = code;
  return 1;
}

int fsync(int file) {
  return sync_fails(file) ? -1 : REAL("fsync", int (*)(int))(file);
}

int fdatasync(int file) {
  return sync_fails(file) ? -1 : REAL("fdatasync", int (*)(int))(file);
}
