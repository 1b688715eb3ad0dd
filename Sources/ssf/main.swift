print("ssf")
