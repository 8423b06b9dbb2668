"""What tests of hostile weight files share: limits on a process, programs that load within them, a fuzzer."""
