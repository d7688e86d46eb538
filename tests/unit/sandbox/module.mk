units += sandbox/test_sandbox
